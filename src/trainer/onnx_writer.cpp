#include "trainer/onnx_writer.hpp"

#include <string>

#include "trainer/onnx_graph.hpp"

namespace hone::trainer {
namespace {

void add_layer(Chain& chain, const PlannedLayer& planned, bool last) {
  const Layer& layer = planned.layer;
  const std::string name = last ? "scores" : planned.name;
  switch (layer.kind) {
    case Layer::Kind::dropout: return;  // does nothing once training is over
    case Layer::Kind::relu: chain.add("Relu", name); return;
    case Layer::Kind::maxpool: {
      onnx::NodeProto& node = chain.add("MaxPool", name);
      set_ints(node, "kernel_shape", {layer.pool, layer.pool});
      set_ints(node, "strides", {layer.pool, layer.pool});
      return;
    }
    case Layer::Kind::conv: {
      onnx::NodeProto& node = chain.add("Conv", name);
      node.add_input(planned.name + ".weight");
      node.add_input(planned.name + ".bias");
      set_ints(node, "kernel_shape", {layer.kernel_h, layer.kernel_w});
      set_ints(node, "pads", {layer.kernel_h / 2, layer.kernel_w / 2, layer.kernel_h / 2, layer.kernel_w / 2});
      return;
    }
    case Layer::Kind::dense: {
      if (planned.flatten) set_int(chain.add("Flatten", planned.name + ".flat"), "axis", 1);
      onnx::NodeProto& node = chain.add("Gemm", name);
      node.add_input(planned.name + ".weight");
      node.add_input(planned.name + ".bias");
      set_int(node, "transB", 1);  // the weight stays [out, in], as libtorch has it
      return;
    }
  }
}

Result<> check_weights(const Plan& plan, const Weights& weights) {
  const std::vector<PlannedTensor> planned = plan.tensors();
  if (weights.size() != planned.size()) return fail(Code::invalid, "these weights are not those of this network");
  for (std::size_t i = 0; i < planned.size(); ++i) {
    if (weights[i].name != planned[i].name || weights[i].shape != planned[i].shape ||
        weights[i].values.size() != static_cast<std::size_t>(product(planned[i].shape)))
      return fail(Code::invalid,
                  "the tensor " + weights[i].name + " is not the " + planned[i].name + " of this network");
  }
  return {};
}

}  // namespace

Result<Bytes> write_onnx(const Plan& plan, const Weights& weights, const OnnxLineage& lineage) {
  HONE_CHECK(check_weights(plan, weights));
  onnx::ModelProto model = begin_model(plan.signal, lineage);
  onnx::GraphProto& graph = *model.mutable_graph();
  set_value(*graph.add_output(), "scores", onnx::TensorProto::FLOAT, {plan.width});
  Chain chain = begin_chain(graph, plan.signal);
  for (const PlannedLayer& planned : plan.layers) add_layer(chain, planned, &planned == &plan.layers.back());
  for (const Tensor& tensor : weights) add_floats(graph, tensor.name, tensor.shape, tensor.values);
  return finish_model(model, lineage);
}

}  // namespace hone::trainer
