#include "trainer/quantise/quantise.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "trainer/quantise/calibrate.hpp"
#include "trainer/quantise/int8.hpp"
#include "trainer/quantise/sites.hpp"

namespace hone::trainer {
namespace {

template <class T>
void add_tensor(onnx::GraphProto& graph, const std::string& name, onnx::TensorProto::DataType type, const Shape& shape,
                const std::vector<T>& values) {
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (const std::int64_t extent : shape) tensor.add_dims(extent);
  tensor.set_raw_data(std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
}

onnx::NodeProto node_of(const std::string& op, const std::vector<std::string>& inputs, const std::string& output) {
  onnx::NodeProto node;
  node.set_op_type(op);
  node.set_name(output);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
  return node;
}

bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

// Builds the quantised graph next to the one that it reads.
class Rewriter {
 public:
  Rewriter(const onnx::GraphProto& from, const wire::Signal& signal, Sites sites, std::map<std::string, Range> ranges)
      : from_(from), signal_(signal), sites_(std::move(sites)) {
    for (const auto& [root, range] : ranges) scales_[root] = activation_scale(range.low, range.high);
  }

  Result<onnx::GraphProto> run() {
    out_.set_name(from_.name());
    *out_.mutable_input() = from_.input();
    *out_.mutable_output() = from_.output();
    find_raw_bytes();
    for (const Site& site : sites_.sites) HONE_CHECK(convert_parameters(site));
    for (const onnx::ValueInfoProto& input : from_.input()) make_bytes(input.name());
    for (int i = 0; i < from_.node_size(); ++i) add_node(i);
    add_scales();
    for (const onnx::TensorProto& tensor : from_.initializer())
      if (!replaced_.contains(tensor.name())) *out_.add_initializer() = tensor;
    return std::move(out_);
  }

 private:
  // x -> Cast -> Mul scale, where x is bytes already: they are the quantised tensor, without any error.
  void find_raw_bytes() {
    if (signal_.dtype != wire::DType::uint8 || from_.node_size() < 2) return;
    const onnx::NodeProto& cast = from_.node(0);
    const onnx::NodeProto& scaled = from_.node(1);
    const bool head = cast.op_type() == "Cast" && scaled.op_type() == "Mul" && cast.input(0) == "x" &&
                      scaled.input(0) == cast.output(0) && scaled.input(1) == "scale";
    const onnx::TensorProto* scale = find_initializer(from_, "scale");
    const bool only_bytes_are_read = head && scale != nullptr && sites_.root_of.contains(scaled.output(0)) &&
                                     all_readers_quantised(scaled.output(0));
    if (!only_bytes_are_read) return;
    raw_ = scaled.output(0);
    scales_[*raw_] = {static_cast<float>(signal_.scale), 0};
    replaced_.insert("scale");
  }

  [[nodiscard]] bool all_readers_quantised(const std::string& value) const {
    for (int i = 0; i < from_.node_size(); ++i)
      for (const std::string& input : from_.node(i).input())
        if (input == value && !reads_bytes(i)) return false;
    return true;
  }

  [[nodiscard]] bool reads_bytes(int node) const {
    if (sites_.passing.contains(node)) return true;
    for (const Site& site : sites_.sites)
      if (site.node == node) return true;
    return false;
  }

  Result<> convert_parameters(const Site& site) {
    const onnx::TensorProto& weight = *find_initializer(from_, site.weight);
    HONE_TRY(const std::vector<float> weights, floats_of(weight));
    const auto channels = static_cast<std::size_t>(weight.dims(0));
    std::vector<float> bias;
    if (!site.bias.empty()) {
      HONE_TRY(bias, floats_of(*find_initializer(from_, site.bias)));
    }
    if (!all_finite(weights) || !all_finite(bias))
      return fail(Code::invalid, "the parameters of " + site.weight + " are not finite");
    const float data_scale = scales_.at(sites_.root_of.at(site.data)).scale;
    std::vector<float> smallest(channels, 0.F);
    for (std::size_t c = 0; c < bias.size(); ++c) smallest[c] = smallest_scale_for(bias[c], data_scale);
    const Int8Weights int8 = int8_weights(weights, smallest);
    const Shape shape(weight.dims().begin(), weight.dims().end());
    const Shape one_each{static_cast<std::int64_t>(channels)};
    add_tensor(out_, site.weight, onnx::TensorProto::INT8, shape, int8.steps);
    add_floats(out_, site.weight + ".scale", one_each, int8.scales);
    add_tensor(out_, site.weight + ".zero", onnx::TensorProto::INT8, one_each, std::vector<std::int8_t>(channels, 0));
    dequantise(site.weight, site.weight + ".zero");
    replaced_.insert(site.weight);
    if (bias.empty()) return {};

    std::vector<std::int32_t> steps;
    std::vector<float> products;
    for (std::size_t c = 0; c < channels; ++c) {
      products.push_back(data_scale * int8.scales[c]);
      steps.push_back(bias_steps(bias[c], products.back()));
    }
    add_tensor(out_, site.bias, onnx::TensorProto::INT32, one_each, steps);
    add_floats(out_, site.bias + ".scale", one_each, products);
    dequantise(site.bias, "");
    replaced_.insert(site.bias);
    return {};
  }

  void dequantise(const std::string& tensor, const std::string& zero) {
    std::vector<std::string> inputs{tensor, tensor + ".scale"};
    if (!zero.empty()) inputs.push_back(zero);
    onnx::NodeProto node = node_of("DequantizeLinear", inputs, tensor + ".float");
    set_int(node, "axis", 0);
    *out_.add_node() = std::move(node);
  }

  // Behind the node that writes `value`: value -> bytes -> value as its readers see it.
  void make_bytes(const std::string& value) {
    const auto root = sites_.root_of.find(value);
    if (root == sites_.root_of.end()) return;
    const std::string scale = root->second + ".scale", zero = root->second + ".zero";
    const bool raw = raw_ && value == *raw_;
    const std::string bytes = raw ? "x" : value + ".bytes";
    if (!raw) *out_.add_node() = node_of("QuantizeLinear", {value, scale, zero}, bytes);
    *out_.add_node() = node_of("DequantizeLinear", {bytes, scale, zero}, value + ".float");
  }

  void add_node(int index) {
    const onnx::NodeProto& node = from_.node(index);
    const bool replaced_by_raw = raw_ && index < 2;
    if (!replaced_by_raw) {
      onnx::NodeProto copy = node;
      if (reads_bytes(index)) copy.set_input(0, node.input(0) + ".float");
      for (const Site& site : sites_.sites) {
        if (site.node != index) continue;
        copy.set_input(1, site.weight + ".float");
        if (!site.bias.empty()) copy.set_input(2, site.bias + ".float");
      }
      *out_.add_node() = std::move(copy);
    }
    if (raw_ && index == 0) return;
    for (const std::string& output : node.output()) make_bytes(output);
  }

  void add_scales() {
    for (const auto& [root, scale] : scales_) {
      add_floats(out_, root + ".scale", {}, {scale.scale});
      add_tensor(out_, root + ".zero", onnx::TensorProto::UINT8, {}, std::vector<std::uint8_t>{scale.zero});
    }
  }

  const onnx::GraphProto& from_;
  const wire::Signal& signal_;
  const Sites sites_;
  std::map<std::string, ActivationScale> scales_;  // by root
  std::optional<std::string> raw_;                 // the scaled input, when x's own bytes stand for it
  std::set<std::string> replaced_;                 // initializers
  onnx::GraphProto out_;
};

}  // namespace

Result<Bytes> quantise_onnx(ByteView onnx, const Rows& rows, model::Runtime& runtime, double quantile) {
  HONE_TRY(onnx::ModelProto model, parse_model(onnx));
  Sites sites = find_sites(model.graph());
  if (sites.sites.empty())
    return fail(Code::invalid, "the model has no Conv or Gemm with constant weights, so there is nothing to quantise");
  HONE_TRY(auto ranges, calibrate(model, sites.roots(), rows, kCalibrationRows, quantile, runtime));
  HONE_TRY(*model.mutable_graph(), Rewriter(model.graph(), rows.signal, std::move(sites), std::move(ranges)).run());
  std::string bytes;
  if (!model.SerializeToString(&bytes)) return fail(Code::invalid, "the model does not fit an ONNX file (2 GiB)");
  return to_bytes(bytes);
}

}  // namespace hone::trainer
