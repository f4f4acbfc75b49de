// Hostile model files: whatever they hold, the extents found are in order, apart, inside the file, and
// few enough. One target for each kind of container: they differ in their corpora.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "shared/model/float_regions.hpp"
#include "shared/model/pickle.hpp"
#include "shared/model/tensors.hpp"

namespace {

void check(const std::vector<hone::model::TensorExtent>& tensors, std::size_t size) {
  std::uint64_t end = 0;
  for (const auto& tensor : tensors) {
    if (tensor.offset < end || tensor.bytes == 0 || tensor.offset > size || tensor.bytes > size - tensor.offset) std::abort();
    end = tensor.offset + tensor.bytes;
  }
  if (tensors.size() > hone::model::kTensorsMax) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const hone::ByteView file(data, size);
  check(hone::model::find_tensors(file).tensors, size);
  check(hone::model::find_float_regions(file), size);
  const auto pickle = hone::model::read_pickle(file);
  if (pickle && pickle->bytes > size) std::abort();
  return 0;
}
