#include "trainer/kmeans/cluster_onnx.hpp"

#include <string>

#include "trainer/kmeans/spectrum.hpp"
#include "trainer/onnx_graph.hpp"

namespace hone::trainer {
namespace {

void add_spectrum(onnx::GraphProto& graph, Chain& chain, const wire::Signal& signal) {
  const Spectrum spectrum = spectrum_of(signal.shape.back());
  add_floats(graph, "cosines", {spectrum.window, spectrum.bins}, spectrum.cosines);
  add_floats(graph, "sines", {spectrum.window, spectrum.bins}, spectrum.sines);
  Chain imaginary = chain;
  chain.add("MatMul", "x.cosines").add_input("cosines");
  chain.add("Mul", "x.cosines2").add_input("x.cosines");
  imaginary.add("MatMul", "x.sines").add_input("sines");
  imaginary.add("Mul", "x.sines2").add_input("x.sines");
  chain.add("Add", "x.power").add_input(imaginary.value());
  chain.add("Sqrt", "x.magnitude");
}

void add_features(onnx::GraphProto& graph, Chain& chain, const ClusterModel& model) {
  set_int(chain.add("Flatten", "x.flat"), "axis", 1);
  chain.add("Sub", "x.centred").add_input("center");
  chain.add("Mul", "x.spread").add_input("inverse_spread");
  onnx::NodeProto& clip = chain.add("Clip", "features");
  clip.add_input("clip.low");
  clip.add_input("clip.high");
  add_floats(graph, "center", {model.features()}, model.center);
  add_floats(graph, "inverse_spread", {model.features()}, model.inverse_spread);
  add_floats(graph, "clip.low", {}, {-model.clip});
  add_floats(graph, "clip.high", {}, {model.clip});
}

// [N, 1, features] against [clusters, features]: differences, not the expanded square, which would
// lose the digits of small distances.
void add_distances(onnx::GraphProto& graph, Chain& chain, const ClusterModel& model) {
  onnx::TensorProto& axis = *graph.add_initializer();
  axis.set_name("axis");
  axis.set_data_type(onnx::TensorProto::INT64);
  axis.add_dims(1);
  axis.add_int64_data(1);
  chain.add("Unsqueeze", "features.row").add_input("axis");
  chain.add("Sub", "away").add_input("centroids");
  onnx::NodeProto& distances = chain.add("ReduceL2", "distances");
  set_ints(distances, "axes", {2});
  set_int(distances, "keepdims", 0);
  add_floats(graph, "centroids", {model.clusters, model.features()}, model.centroids);
}

// Anomalous unless the distance is at most the threshold: a distance that is no number is an anomaly.
void add_answer(onnx::GraphProto& graph, const Chain& distances, const ClusterModel& model) {
  Chain distance = distances, cluster = distances;
  onnx::NodeProto& least = distance.add("ReduceMin", "distance");
  set_ints(least, "axes", {1});
  set_int(least, "keepdims", 1);
  onnx::NodeProto& nearest = cluster.add("ArgMin", "cluster");
  set_int(nearest, "axis", 1);
  set_int(nearest, "keepdims", 1);
  set_int(cluster.add("Cast", "cluster.float"), "to", onnx::TensorProto::FLOAT);
  Chain anomalous = distance;
  anomalous.add("LessOrEqual", "ordinary").add_input("threshold");
  anomalous.add("Not", "anomalous");
  set_int(anomalous.add("Cast", "anomalous.float"), "to", onnx::TensorProto::FLOAT);
  onnx::NodeProto& answer = distance.add("Concat", "anomaly");
  answer.add_input(anomalous.value());
  answer.add_input(cluster.value());
  set_int(answer, "axis", 1);
  add_floats(graph, "threshold", {}, {model.threshold});
}

}  // namespace

std::int64_t feature_count(const wire::Signal& signal, bool spectrum) {
  const std::int64_t window = signal.shape.back();
  const auto elements = static_cast<std::int64_t>(signal.elements());
  return spectrum ? elements / window * (window / 2 + 1) : elements;
}

Result<Bytes> write_cluster_onnx(const wire::Signal& signal, bool spectrum, const ClusterModel& model,
                                 const OnnxLineage& lineage) {
  const std::int64_t features = feature_count(signal, spectrum);
  if (model.features() != features || static_cast<std::int64_t>(model.inverse_spread.size()) != features ||
      model.clusters < 1 || static_cast<std::int64_t>(model.centroids.size()) != model.clusters * features)
    return fail(Code::invalid, "this clustering is not one of the signal's samples");
  onnx::ModelProto proto = begin_model(signal, lineage);
  onnx::GraphProto& graph = *proto.mutable_graph();
  set_value(*graph.add_output(), "anomaly", onnx::TensorProto::FLOAT, {3});
  set_value(*graph.add_output(), "features", onnx::TensorProto::FLOAT, {features});
  Chain chain = begin_chain(graph, signal);
  if (spectrum) add_spectrum(graph, chain, signal);
  add_features(graph, chain, model);
  add_distances(graph, chain, model);
  add_answer(graph, chain, model);
  return finish_model(proto, lineage);
}

}  // namespace hone::trainer
