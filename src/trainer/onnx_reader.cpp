#include "trainer/onnx_reader.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "trainer/onnx_layers.hpp"

namespace hone::trainer {
namespace {

const onnx::TensorProto* find(const onnx::GraphProto& graph, const std::string& name) {
  for (const onnx::TensorProto& tensor : graph.initializer())
    if (tensor.name() == name) return &tensor;
  return nullptr;
}

Result<Tensor> tensor_from(const onnx::TensorProto& found, const PlannedTensor& planned) {
  const Shape shape(found.dims().begin(), found.dims().end());
  if (shape != planned.shape) return fail(Code::wrong_base, "the base model's " + planned.name + " has another shape");
  auto values = floats_of(found);
  if (!values) return fail(Code::wrong_base, "the base model's " + planned.name + " does not hold its values as fp32");
  return Tensor{planned.name, planned.shape, std::move(*values)};
}

Result<Tensor> tensor_named(const onnx::GraphProto& graph, const PlannedTensor& planned) {
  const onnx::TensorProto* found = find(graph, planned.name);
  if (found == nullptr) return fail(Code::wrong_base, "the base model has no tensor " + planned.name);
  return tensor_from(*found, planned);
}

bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

}  // namespace

Result<Weights> read_weights(ByteView onnx, const Plan& plan) {
  Result<onnx::ModelProto> model = parse_model(onnx);
  if (!model) return fail(model.error().within("the base model"));
  Weights weights;
  for (const PlannedTensor& planned : plan.tensors()) {
    HONE_TRY(Tensor tensor, tensor_named(model->graph(), planned));
    weights.push_back(std::move(tensor));
  }
  return weights;
}

Result<std::optional<InputScale>> read_input_scale(ByteView onnx, const Plan& plan) {
  Result<onnx::ModelProto> model = parse_model(onnx);
  if (!model) return fail(model.error().within("the base model"));
  const onnx::TensorProto* center = find(model->graph(), kCenterName);
  if ((center != nullptr) != plan.input_scale.has_value())
    return fail(Code::wrong_base, center != nullptr ? "the base model normalises its input, this recipe does not"
                                                    : "this recipe normalises its input, the base model does not");
  if (center == nullptr) return std::nullopt;
  HONE_TRY(Tensor centers, tensor_from(*center, {kCenterName, plan.input_scale->shape}));
  HONE_TRY(Tensor spreads, tensor_named(model->graph(), {kInverseSpreadName, plan.input_scale->shape}));
  HONE_TRY(const Tensor clip, tensor_named(model->graph(), {kClipName, {}}));
  InputScale scale{centers.shape, std::move(centers.values), std::move(spreads.values), clip.values.front()};
  if (!all_finite(scale.center) || !all_finite(scale.inverse_spread) || !std::isfinite(scale.clip) ||
      !(scale.clip > 0))
    return fail(Code::wrong_base, "the base model's input scale holds what is no number");
  return scale;
}

}  // namespace hone::trainer
