#include "trainer/plan.hpp"

#include <functional>
#include <numeric>
#include <utility>

#include "shared/pipeline/layers.hpp"

namespace hone::trainer {
namespace {

bool has_weights(Layer::Kind kind) {
  return kind == Layer::Kind::conv || kind == Layer::Kind::dense;
}

Shape weight_shape(const PlannedLayer& planned) {
  const Layer& layer = planned.layer;
  if (layer.kind == Layer::Kind::conv) return {layer.channels, planned.input[0], layer.kernel_h, layer.kernel_w};
  return {layer.channels, product(planned.input)};
}

Result<Plan> plan_layers(const wire::Signal& signal, const std::vector<Layer>& layers, LastLayer last) {
  HONE_TRY(const std::vector<Shape> shapes, shapes_of(signal, layers, last));
  Plan plan;
  plan.signal = signal;
  plan.width = layers.back().channels;
  Shape input = signal.shape;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    PlannedLayer planned;
    planned.layer = layers[i];
    planned.name = "layers." + std::to_string(i);
    planned.input = std::exchange(input, shapes[i]);
    planned.output = shapes[i];
    planned.flatten = layers[i].kind == Layer::Kind::dense && planned.input.size() > 1;
    plan.layers.push_back(std::move(planned));
  }
  return plan;
}

}  // namespace

std::int64_t product(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::vector<PlannedTensor> Plan::tensors() const {
  std::vector<PlannedTensor> result;
  for (const PlannedLayer& planned : layers) {
    if (!has_weights(planned.layer.kind)) continue;
    result.push_back({planned.name + ".weight", weight_shape(planned)});
    result.push_back({planned.name + ".bias", {planned.layer.channels}});
  }
  return result;
}

std::int64_t Plan::parameters() const {
  std::int64_t count = 0;
  for (const PlannedTensor& tensor : tensors()) count += product(tensor.shape);
  return count;
}

std::int64_t Plan::multiplications() const {
  std::int64_t count = 0;
  for (const PlannedLayer& planned : layers) {
    if (!has_weights(planned.layer.kind)) continue;
    const std::int64_t places = planned.layer.kind == Layer::Kind::conv ? planned.output[1] * planned.output[2] : 1;
    count += places * product(weight_shape(planned));
  }
  return count;
}

Result<Plan> plan_network(const wire::Signal& signal, const std::vector<Layer>& layers) {
  HONE_CHECK(wire::check(signal));
  if (signal.labels.empty())
    return fail(Code::invalid, "signal.labels is empty: the recipes cnn and mlp learn labels; name them");
  return plan_layers(signal, layers, LastLayer::labels);
}

Result<Plan> plan_autoencoder(const wire::Signal& signal, const std::vector<Layer>& layers) {
  HONE_CHECK(wire::check(signal));
  return plan_layers(signal, layers, LastLayer::elements);
}

}  // namespace hone::trainer
