// Any two files: what is applied is what was encoded. The first byte says how to encode, the second
// where the base ends.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "shared/delta/apply.hpp"
#include "shared/delta/encode/encode.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  if (size < 2 || size > 4096) return 0;
  delta::EncodeOptions options;
  options.profile = data[0] % 2 == 0 ? delta::Profile::small : delta::Profile::standard;
  options.effort = 1 + data[0] / 2 % 9;
  options.in_place = data[0] >= 192;
  const ByteView files(data + 2, size - 2);
  const ByteView base = files.first(files.size() * data[1] / 255);
  const ByteView target = files.subspan(base.size());
  const auto patch = delta::encode(base, target, options);
  if (!patch) std::abort();
  const auto again = delta::apply(base, *patch, target.size());
  if (!again || again->size() != target.size() || !std::equal(target.begin(), target.end(), again->begin())) std::abort();
  return 0;
}
