// Two inputs in one: the bytes as a batch that comes off the wire, and, so that mutations get past zstd's
// checksum, as the safetensors file inside one.
#include <zstd.h>

#include <cstdint>
#include <cstdlib>

#include "shared/wire/batch.hpp"
#include "shared/wire/safetensors.hpp"

namespace {

void try_batch(hone::ByteView bytes, const hone::wire::Signal& signal) {
  using namespace hone::wire;
  const auto batch = decode_batch(bytes, signal);
  if (!batch) return;
  if (batch->x.size() != batch->rows() * signal.sample_bytes() || batch->t.size() != batch->rows()) std::abort();
  const auto again = encode(*batch, signal);
  if (!again) std::abort();
  const auto reread = decode_batch(*again, signal);
  if (!reread || reread->x != batch->x || reread->y != batch->y || reread->t != batch->t || reread->id != batch->id)
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  const wire::Signal signal{{1, 2, 2}, wire::DType::int16, 1.0, {"a", "b"}};
  const ByteView bytes(data, size);
  try_batch(bytes, signal);
  if (const auto view = wire::parse_safetensors(bytes)) {
    std::size_t covered = 0;
    for (const auto& [name, tensor] : view->tensors) covered += tensor.bytes.size();
    if (covered > size) std::abort();
  }
  Bytes frame(ZSTD_compressBound(size));
  frame.resize(ZSTD_compress(frame.data(), frame.size(), data, size, 1));
  try_batch(frame, signal);
  return 0;
}
