#include "trainer/onnx_layers.hpp"

namespace hone::trainer {
namespace {

void add_layer(Chain& chain, const PlannedLayer& planned, const std::string& name) {
  const Layer& layer = planned.layer;
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

// What follows the last layer that is written takes its name: dropout writes nothing.
std::size_t last_written(const Plan& plan) {
  std::size_t last = plan.layers.size() - 1;
  while (last > 0 && plan.layers[last].layer.kind == Layer::Kind::dropout) --last;
  return last;
}

}  // namespace

void add_input_scale(Chain& chain, onnx::GraphProto& graph, const Plan& plan, const std::string& name) {
  if (!plan.input_scale) return;
  const InputScale& scale = *plan.input_scale;
  chain.add("Sub", name + ".centred").add_input(kCenterName);
  chain.add("Mul", name + ".spread").add_input(kInverseSpreadName);
  onnx::NodeProto& clip = chain.add("Clip", name);
  clip.add_input("input.clip.low");
  clip.add_input(kClipName);
  add_floats(graph, kCenterName, scale.shape, scale.center);
  add_floats(graph, kInverseSpreadName, scale.shape, scale.inverse_spread);
  add_floats(graph, "input.clip.low", {}, {-scale.clip});
  add_floats(graph, kClipName, {}, {scale.clip});
}

Result<> add_layers(Chain& chain, onnx::GraphProto& graph, const Plan& plan, const Weights& weights,
                    const std::string& name) {
  HONE_CHECK(check_weights(plan, weights));
  const std::size_t last = last_written(plan);
  for (std::size_t i = 0; i < plan.layers.size(); ++i)
    add_layer(chain, plan.layers[i], i == last ? name : plan.layers[i].name);
  for (const Tensor& tensor : weights) add_floats(graph, tensor.name, tensor.shape, tensor.values);
  return {};
}

}  // namespace hone::trainer
