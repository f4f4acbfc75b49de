#include "trainer/quantise/sites.hpp"

#include <algorithm>

namespace hone::trainer {
namespace {

std::int64_t int_attribute(const onnx::NodeProto& node, const char* name, std::int64_t otherwise) {
  for (const onnx::AttributeProto& attribute : node.attribute())
    if (attribute.name() == name) return attribute.i();
  return otherwise;
}

float float_attribute(const onnx::NodeProto& node, const char* name, float otherwise) {
  for (const onnx::AttributeProto& attribute : node.attribute())
    if (attribute.name() == name) return attribute.f();
  return otherwise;
}

bool is_float_tensor(const onnx::TensorProto* tensor) {
  return tensor != nullptr && tensor->data_type() == onnx::TensorProto::FLOAT && tensor->dims_size() > 0 &&
         tensor->dims(0) > 0;
}

bool multiplies_by_weights(const onnx::NodeProto& node) {
  if (node.op_type() == "Conv") return true;
  // The weight [out, in] has its channels first only when it is transposed.
  return node.op_type() == "Gemm" && int_attribute(node, "transA", 0) == 0 && int_attribute(node, "transB", 0) == 1 &&
         float_attribute(node, "alpha", 1) == 1 && float_attribute(node, "beta", 1) == 1;
}

bool keeps_the_range(const onnx::NodeProto& node) {
  return node.op_type() == "MaxPool" || node.op_type() == "Flatten";
}

int readers_of(const onnx::GraphProto& graph, const std::string& value) {
  int readers = 0;
  for (const onnx::NodeProto& node : graph.node())
    readers += static_cast<int>(std::count(node.input().begin(), node.input().end(), value));
  return readers;
}

}  // namespace

const onnx::TensorProto* find_initializer(const onnx::GraphProto& graph, const std::string& name) {
  for (const onnx::TensorProto& tensor : graph.initializer())
    if (tensor.name() == name) return &tensor;
  return nullptr;
}

std::vector<std::string> Sites::roots() const {
  std::set<std::string> all;
  for (const auto& [value, root] : root_of) all.insert(root);
  return {all.begin(), all.end()};
}

Sites find_sites(const onnx::GraphProto& graph) {
  std::map<std::string, int> writer;
  for (int i = 0; i < graph.node_size(); ++i)
    for (const std::string& output : graph.node(i).output()) writer[output] = i;

  Sites found;
  for (int i = 0; i < graph.node_size(); ++i) {
    const onnx::NodeProto& node = graph.node(i);
    if (!multiplies_by_weights(node) || node.input_size() < 2) continue;
    Site site{i, node.input(0), node.input(1), node.input_size() > 2 ? node.input(2) : std::string()};
    const onnx::TensorProto* weight = find_initializer(graph, site.weight);
    const onnx::TensorProto* bias = find_initializer(graph, site.bias);
    const bool own_weight = is_float_tensor(weight) && readers_of(graph, site.weight) == 1;
    const bool own_bias = site.bias.empty() || (is_float_tensor(bias) && own_weight && bias->dims_size() == 1 &&
                                                bias->dims(0) == weight->dims(0) && readers_of(graph, site.bias) == 1);
    if (!own_weight || !own_bias || find_initializer(graph, site.data) != nullptr) continue;

    std::vector<std::string> values{site.data};
    for (auto by = writer.find(site.data); by != writer.end() && keeps_the_range(graph.node(by->second));
         by = writer.find(values.back())) {
      found.passing.insert(by->second);
      values.push_back(graph.node(by->second).input(0));
    }
    for (const std::string& value : values) found.root_of[value] = values.back();
    found.sites.push_back(std::move(site));
  }
  return found;
}

}  // namespace hone::trainer
