#include <cstdint>
#include <cstdlib>

#include "shared/samples/csv.hpp"

// Whatever is accepted holds whole samples, as many as labels, and every label is one of the signal's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  for (const wire::DType dtype : {wire::DType::float32, wire::DType::int8}) {
    const wire::Signal signal{{2}, dtype, 1.0, {"a", "b"}};
    const auto samples = samples::parse_csv({data, size}, signal, {});
    if (!samples) continue;
    if (samples->x.size() != samples->rows() * signal.sample_bytes()) std::abort();
    for (const std::int64_t label : samples->y)
      if (label < samples::kNoLabel || label > 1) std::abort();
  }
  return 0;
}
