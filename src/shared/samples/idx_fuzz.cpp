#include <cstdint>
#include <cstdlib>

#include "shared/samples/idx.hpp"

// Whatever is accepted has as many bytes as its shape says.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto tensor = hone::samples::parse_idx({data, size});
  if (!tensor) return 0;
  std::uint64_t elements = 1;
  for (const std::int64_t extent : tensor->shape) elements *= static_cast<std::uint64_t>(extent);
  if (elements * hone::wire::size_of(tensor->dtype) != tensor->data.size()) std::abort();
  return 0;
}
