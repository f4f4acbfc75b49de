#include "trainer/onnx_reader.hpp"

#include <string>
#include <utility>

#include "trainer/onnx_graph.hpp"

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

}  // namespace

Result<Weights> read_weights(ByteView onnx, const Plan& plan) {
  Result<onnx::ModelProto> model = parse_model(onnx);
  if (!model) return fail(model.error().within("the base model"));
  Weights weights;
  for (const PlannedTensor& planned : plan.tensors()) {
    const onnx::TensorProto* found = find(model->graph(), planned.name);
    if (found == nullptr) return fail(Code::wrong_base, "the base model has no tensor " + planned.name);
    HONE_TRY(Tensor tensor, tensor_from(*found, planned));
    weights.push_back(std::move(tensor));
  }
  return weights;
}

}  // namespace hone::trainer
