#include "trainer/onnx_graph.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <bit>
#include <cstring>

#include "trainer/onnx_reader.hpp"

namespace hone::trainer {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

constexpr std::int64_t kIrVersion = 8;
constexpr std::int64_t kOpset = 13;
constexpr int kNestingMax = 32;
// Of the hashes that tell where a model comes from: enough to find them by. Each digit is half a byte of
// every delta, and an update trained for the wire has few of them.
constexpr std::size_t kIdDigits = 16;

void add_metadata(onnx::ModelProto& model, const char* key, const std::string& value) {
  onnx::StringStringEntryProto& entry = *model.add_metadata_props();
  entry.set_key(key);
  entry.set_value(value);
}

}  // namespace

onnx::NodeProto& Chain::add(const std::string& op, const std::string& name) {
  onnx::NodeProto& node = *graph_.add_node();
  node.set_op_type(op);
  node.set_name(name);
  node.add_input(value_);
  node.add_output(name);
  value_ = name;
  return node;
}

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

void add_floats(onnx::GraphProto& graph, const std::string& name, const Shape& shape,
                const std::vector<float>& values) {
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t extent : shape) tensor.add_dims(extent);
  tensor.set_raw_data(std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)));
}

Result<std::vector<float>> floats_of(const onnx::TensorProto& tensor) {
  const auto count = static_cast<std::size_t>(product(Shape(tensor.dims().begin(), tensor.dims().end())));
  if (tensor.data_type() == onnx::TensorProto::FLOAT && tensor.data_location() != onnx::TensorProto::EXTERNAL) {
    if (tensor.raw_data().size() == count * sizeof(float)) {
      std::vector<float> values(count);
      std::memcpy(values.data(), tensor.raw_data().data(), tensor.raw_data().size());
      return values;
    }
    if (static_cast<std::size_t>(tensor.float_data_size()) == count)
      return std::vector<float>(tensor.float_data().begin(), tensor.float_data().end());
  }
  return fail(Code::invalid, "the tensor " + tensor.name() + " does not hold its values as fp32");
}

onnx::ModelProto begin_model(const wire::Signal& signal, const OnnxLineage& lineage) {
  onnx::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("hone");
  onnx::OperatorSetIdProto& opset = *model.add_opset_import();
  opset.set_domain("");
  opset.set_version(kOpset);
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name(lineage.pipeline.value);
  set_value(*graph.add_input(), "x", onnx_type(signal.dtype), signal.shape);
  return model;
}

Chain begin_chain(onnx::GraphProto& graph, const wire::Signal& signal) {
  Chain chain(graph, "x");
  if (signal.dtype != wire::DType::float32) set_int(chain.add("Cast", "x.float"), "to", onnx::TensorProto::FLOAT);
  chain.add("Mul", "x.scaled").add_input("scale");
  add_floats(graph, "scale", {}, {static_cast<float>(signal.scale)});
  return chain;
}

Result<Bytes> finish_model(onnx::ModelProto& model, const OnnxLineage& lineage) {
  add_metadata(model, "hone.pipeline", lineage.pipeline.value);
  add_metadata(model, "hone.recipe", lineage.recipe);
  add_metadata(model, "hone.dataset", lineage.dataset.substr(0, kIdDigits));
  add_metadata(model, "hone.base", lineage.base.substr(0, kIdDigits));
  add_metadata(model, "hone.seed", std::to_string(lineage.seed));
  std::string bytes;
  if (!model.SerializeToString(&bytes))
    return fail(Code::invalid, "the model does not fit an ONNX file (2 GiB): make it smaller");
  return to_bytes(bytes);
}

Result<onnx::ModelProto> parse_model(ByteView onnx) {
  if (onnx.size() > kOnnxBytesMax)
    return fail(Code::damaged, "the model is larger than " + std::to_string(kOnnxBytesMax) + " bytes");
  onnx::ModelProto model;
  google::protobuf::io::ArrayInputStream bytes(onnx.data(), static_cast<int>(onnx.size()));
  google::protobuf::io::CodedInputStream input(&bytes);
  input.SetTotalBytesLimit(static_cast<int>(kOnnxBytesMax));
  input.SetRecursionLimit(kNestingMax);
  if (!model.ParseFromCodedStream(&input) || !input.ConsumedEntireMessage())
    return fail(Code::damaged, "the model is no ONNX file");
  return model;
}

}  // namespace hone::trainer
