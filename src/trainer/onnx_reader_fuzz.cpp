// Hostile model files as the base of a training: refused, or read into the shapes that the plan has.
#include "trainer/onnx_reader.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "shared/pipeline/layers.hpp"

namespace {

using namespace hone;
using namespace hone::trainer;

Plan plan_of_the_corpus() {
  wire::Signal signal{{4}, wire::DType::float32, 1.0, {"a", "b"}};
  return plan_network(signal, {parse_layer("dense 3").value(), parse_layer("relu").value(), parse_layer("dense 2").value()})
      .value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Plan plan = plan_of_the_corpus();
  const ByteView file(data, size);
  if (const auto weights = read_weights(file, plan)) {
    const auto planned = plan.tensors();
    if (weights->size() != planned.size()) std::abort();
    for (std::size_t i = 0; i < planned.size(); ++i)
      if ((*weights)[i].values.size() != static_cast<std::size_t>(product(planned[i].shape))) std::abort();
  }
  plan.input_scale = InputScale{{4}, std::vector<float>(4), std::vector<float>(4, 1), 1};
  const auto scale = read_input_scale(file, plan);
  if (scale && ((*scale)->center.size() != 4 || (*scale)->inverse_spread.size() != 4 || !((*scale)->clip > 0) ||
                !std::isfinite((*scale)->clip)))
    std::abort();
  return 0;
}
