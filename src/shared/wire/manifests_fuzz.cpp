// Dataset and release manifests, which share their readers: what is accepted is written again to bytes
// that read back to themselves.
#include <cstdint>
#include <cstdlib>

#include "shared/wire/dataset.hpp"
#include "shared/wire/release.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  const ByteView bytes(data, size);
  if (const auto dataset = wire::dataset_manifest_from(bytes)) {
    const Bytes canonical = wire::canonical_bytes(*dataset);
    const auto again = wire::dataset_manifest_from(canonical);
    if (!again || wire::canonical_bytes(*again) != canonical) std::abort();
  }
  if (const auto release = wire::release_manifest_from(bytes)) {
    const Bytes written = wire::to_bytes(*release);
    const auto again = wire::release_manifest_from(written);
    if (!again || wire::to_bytes(*again) != written) std::abort();
    if (release->full.path != wire::model_path(release->pipeline, release->model)) std::abort();
  }
  return 0;
}
