#include "trainer/onnx_writer.hpp"

#include <onnx/onnx_pb.h>

#include <bit>
#include <cstring>
#include <string>
#include <utility>

namespace hone::trainer {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

constexpr std::int64_t kIrVersion = 8;
constexpr std::int64_t kOpset = 13;

onnx::TensorProto::DataType onnx_type(wire::DType dtype) {
  switch (dtype) {
    case wire::DType::uint8: return onnx::TensorProto::UINT8;
    case wire::DType::int8: return onnx::TensorProto::INT8;
    case wire::DType::int16: return onnx::TensorProto::INT16;
    case wire::DType::int32: return onnx::TensorProto::INT32;
    case wire::DType::float32: return onnx::TensorProto::FLOAT;
  }
  return onnx::TensorProto::FLOAT;
}

// Adds nodes one behind the other: the output of each is the input of the next.
class Chain {
 public:
  Chain(onnx::GraphProto& graph, std::string first) : graph_(graph), value_(std::move(first)) {}

  onnx::NodeProto& add(const std::string& op, const std::string& name) {
    onnx::NodeProto& node = *graph_.add_node();
    node.set_op_type(op);
    node.set_name(name);
    node.add_input(value_);
    node.add_output(name);
    value_ = name;
    return node;
  }

 private:
  onnx::GraphProto& graph_;
  std::string value_;
};

void set_int(onnx::NodeProto& node, const char* name, std::int64_t value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

void set_ints(onnx::NodeProto& node, const char* name, const Shape& values) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) attribute.add_ints(value);
}

void set_value(onnx::ValueInfoProto& info, const char* name, onnx::TensorProto::DataType type, const Shape& shape) {
  info.set_name(name);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  tensor.mutable_shape()->add_dim()->set_dim_param("N");
  for (const std::int64_t extent : shape) tensor.mutable_shape()->add_dim()->set_dim_value(extent);
}

void add_initializer(onnx::GraphProto& graph, const std::string& name, const Shape& shape,
                     const std::vector<float>& values) {
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t extent : shape) tensor.add_dims(extent);
  tensor.set_raw_data(std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)));
}

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

void add_metadata(onnx::ModelProto& model, const char* key, const std::string& value) {
  onnx::StringStringEntryProto& entry = *model.add_metadata_props();
  entry.set_key(key);
  entry.set_value(value);
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
  onnx::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("hone");
  onnx::OperatorSetIdProto& opset = *model.add_opset_import();
  opset.set_domain("");
  opset.set_version(kOpset);

  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name(lineage.pipeline.value);
  set_value(*graph.add_input(), "x", onnx_type(plan.signal.dtype), plan.signal.shape);
  set_value(*graph.add_output(), "scores", onnx::TensorProto::FLOAT, {plan.width});

  Chain chain(graph, "x");
  if (plan.signal.dtype != wire::DType::float32) set_int(chain.add("Cast", "x.float"), "to", onnx::TensorProto::FLOAT);
  chain.add("Mul", "x.scaled").add_input("scale");
  for (const PlannedLayer& planned : plan.layers) add_layer(chain, planned, &planned == &plan.layers.back());

  add_initializer(graph, "scale", {}, {static_cast<float>(plan.signal.scale)});
  for (const Tensor& tensor : weights) add_initializer(graph, tensor.name, tensor.shape, tensor.values);

  add_metadata(model, "hone.pipeline", lineage.pipeline.value);
  add_metadata(model, "hone.recipe", lineage.recipe);
  add_metadata(model, "hone.dataset", lineage.dataset);
  add_metadata(model, "hone.base", lineage.base);
  add_metadata(model, "hone.seed", std::to_string(lineage.seed));

  std::string bytes;
  if (!model.SerializeToString(&bytes))
    return fail(Code::invalid, "the model does not fit an ONNX file (2 GiB): make the layers smaller");
  return to_bytes(bytes);
}

}  // namespace hone::trainer
