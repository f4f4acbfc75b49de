#include "trainer/autoencoder/anomaly_onnx.hpp"

#include <vector>

#include "trainer/onnx_layers.hpp"

namespace hone::trainer {
namespace {

void add_score(Chain& score, const std::string& decoded) {
  score.add("Sub", "missed").add_input(decoded);
  score.add("Mul", "missed2").add_input("missed");
  onnx::NodeProto& mean = score.add("ReduceMean", "missed2.mean");
  set_ints(mean, "axes", {1});
  set_int(mean, "keepdims", 1);
  score.add("Sqrt", "score");
}

// Anomalous unless the score is at most the threshold: a score that is no number is an anomaly.
void add_answer(onnx::GraphProto& graph, const Chain& score, float threshold) {
  Chain anomalous = score, answer = score;
  anomalous.add("LessOrEqual", "ordinary").add_input("threshold");
  anomalous.add("Not", "anomalous");
  set_int(anomalous.add("Cast", "anomalous.float"), "to", onnx::TensorProto::FLOAT);
  onnx::NodeProto& both = answer.add("Concat", "anomaly");
  both.add_input(anomalous.value());
  set_int(both, "axis", 1);
  add_floats(graph, "threshold", {}, {threshold});
}

void add_reconstruction(onnx::GraphProto& graph, Chain decoded, const InputScale& scale) {
  std::vector<float> spread;
  for (const float inverse : scale.inverse_spread) spread.push_back(1 / inverse);
  const auto elements = static_cast<std::int64_t>(spread.size());
  decoded.add("Mul", "decoded.spread").add_input("output.spread");
  decoded.add("Add", "reconstruction").add_input("output.center");
  add_floats(graph, "output.spread", {elements}, spread);
  add_floats(graph, "output.center", {elements}, scale.center);
}

}  // namespace

Result<Bytes> write_anomaly_onnx(const Plan& plan, const Weights& weights, float threshold,
                                 const OnnxLineage& lineage) {
  const auto elements = static_cast<std::size_t>(product(plan.signal.shape));
  if (!plan.input_scale || plan.input_scale->center.size() != elements ||
      plan.input_scale->inverse_spread.size() != elements || plan.width != static_cast<std::int64_t>(elements))
    return fail(Code::invalid, "this autoencoder is not one of the signal's samples");
  onnx::ModelProto model = begin_model(plan.signal, lineage);
  onnx::GraphProto& graph = *model.mutable_graph();
  set_value(*graph.add_output(), "anomaly", onnx::TensorProto::FLOAT, {2});
  set_value(*graph.add_output(), "reconstruction", onnx::TensorProto::FLOAT, {plan.width});
  Chain chain = begin_chain(graph, plan.signal);
  add_input_scale(chain, graph, plan, "x.robust");
  set_int(chain.add("Flatten", "features"), "axis", 1);
  Chain score = chain;
  HONE_CHECK(add_layers(chain, graph, plan, weights, "decoded"));
  add_score(score, chain.value());
  add_answer(graph, score, threshold);
  add_reconstruction(graph, chain, *plan.input_scale);
  return finish_model(model, lineage);
}

}  // namespace hone::trainer
