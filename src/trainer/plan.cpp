#include "trainer/plan.hpp"

#include <functional>
#include <numeric>
#include <utility>

namespace hone::trainer {
namespace {

std::string text_of(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

tl::unexpected<Error> misfit(std::size_t index, const std::string& why) {
  return fail(Code::invalid, "train.layers, entry " + std::to_string(index + 1) + ": " + why);
}

Result<Shape> output_of(const Layer& layer, const Shape& input, std::size_t index) {
  switch (layer.kind) {
    case Layer::Kind::relu:
    case Layer::Kind::dropout: return input;
    case Layer::Kind::dense:
      if (layer.channels < 1) return misfit(index, "a dense layer needs a width of at least 1");
      return Shape{layer.channels};
    case Layer::Kind::conv:
      if (layer.channels < 1 || layer.kernel_h < 1 || layer.kernel_w < 1)
        return misfit(index, "a convolution needs at least one channel and a kernel of at least 1x1");
      if (input.size() != 3)
        return misfit(index, "a convolution needs [channels, height, width], but its input is " + text_of(input));
      if (layer.kernel_h > input[1] || layer.kernel_w > input[2])
        return misfit(index, "the kernel is larger than its input " + text_of(input));
      return Shape{layer.channels, input[1] - layer.kernel_h + 1, input[2] - layer.kernel_w + 1};
    case Layer::Kind::maxpool:
      if (layer.pool < 1) return misfit(index, "a pool needs a window of at least 1");
      if (input.size() != 3)
        return misfit(index, "a pool needs [channels, height, width], but its input is " + text_of(input));
      if (layer.pool > input[1] || layer.pool > input[2])
        return misfit(index, "the window is larger than its input " + text_of(input));
      return Shape{input[0], input[1] / layer.pool, input[2] / layer.pool};
  }
  return misfit(index, "this kind of layer is not known to the trainer");
}

bool has_weights(Layer::Kind kind) {
  return kind == Layer::Kind::conv || kind == Layer::Kind::dense;
}

Shape weight_shape(const PlannedLayer& planned) {
  const Layer& layer = planned.layer;
  if (layer.kind == Layer::Kind::conv) return {layer.channels, planned.input[0], layer.kernel_h, layer.kernel_w};
  return {layer.channels, product(planned.input)};
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
  if (layers.empty()) return fail(Code::invalid, "train.layers is empty: name at least one dense layer");

  Plan plan;
  plan.signal = signal;
  plan.width = static_cast<std::int64_t>(signal.labels.size());
  Shape shape = signal.shape;
  std::int64_t parameters = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    PlannedLayer planned;
    planned.layer = layers[i];
    planned.name = "layers." + std::to_string(i);
    planned.input = shape;
    HONE_TRY(planned.output, output_of(layers[i], shape, i));
    planned.flatten = layers[i].kind == Layer::Kind::dense && shape.size() > 1;
    shape = planned.output;
    // Bounded one layer at a time, in doubles, so that no product can overflow.
    double weights = 1;
    if (has_weights(layers[i].kind))
      for (const std::int64_t extent : weight_shape(planned)) weights *= static_cast<double>(extent);
    if (product(shape) > kParametersMax || static_cast<double>(parameters) + weights > double{kParametersMax})
      return misfit(i, "the network is larger than " + std::to_string(kParametersMax) + " parameters");
    if (has_weights(layers[i].kind)) parameters += static_cast<std::int64_t>(weights) + layers[i].channels;
    plan.layers.push_back(std::move(planned));
  }
  if (layers.back().kind != Layer::Kind::dense || shape[0] != plan.width)
    return fail(Code::invalid, "the last of train.layers must be 'dense " + std::to_string(plan.width) +
                                   "': one score for each of the " + std::to_string(plan.width) + " labels");
  return plan;
}

}  // namespace hone::trainer
