#include "trainer/kmeans/cluster_onnx.hpp"

#include <string>

#include "trainer/kmeans/spectrum.hpp"
#include "trainer/onnx_graph.hpp"

namespace hone::trainer {
namespace {

void add_integers(onnx::GraphProto& graph, const std::string& name, const Shape& shape, const Shape& values) {
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::INT64);
  for (const std::int64_t extent : shape) tensor.add_dims(extent);
  for (const std::int64_t value : values) tensor.add_int64_data(value);
}

// [N, (channels,) length] -> [N, count, (channels,) window]
void add_windows(onnx::GraphProto& graph, Chain& chain, const wire::Signal& signal, const WindowCut& cut) {
  const auto axis = static_cast<std::int64_t>(signal.shape.size());
  Shape readings;
  for (std::int64_t window = 0; window < cut.count; ++window)
    for (std::int64_t i = 0; i < cut.window; ++i) readings.push_back(window * cut.stride + i);
  add_integers(graph, "windows.readings", {cut.count, cut.window}, readings);
  onnx::NodeProto& gather = chain.add("Gather", "x.windows");
  gather.add_input("windows.readings");
  set_int(gather, "axis", axis);
  if (axis == 2) set_ints(chain.add("Transpose", "x.windows_first"), "perm", {0, 2, 1, 3});
}

void add_spectrum(onnx::GraphProto& graph, Chain& chain, const WindowCut& cut) {
  const Spectrum spectrum = spectrum_of(cut.window);
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

// `axis`: the first that belongs to a window.
void add_features(onnx::GraphProto& graph, Chain& chain, const ClusterModel& model, std::int64_t axis,
                  const std::string& name) {
  set_int(chain.add("Flatten", "x.flat"), "axis", axis);
  chain.add("Sub", "x.centred").add_input("center");
  chain.add("Mul", "x.spread").add_input("inverse_spread");
  onnx::NodeProto& clip = chain.add("Clip", name);
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
  add_integers(graph, "axis", {1}, {1});
  chain.add("Unsqueeze", "features.row").add_input("axis");
  chain.add("Sub", "away").add_input("centroids");
  onnx::NodeProto& distances = chain.add("ReduceL2", "distances");
  set_ints(distances, "axes", {2});
  set_int(distances, "keepdims", 0);
  add_floats(graph, "centroids", {model.clusters, model.features()}, model.centroids);
}

// Of every window, [N * count, 1] each. Anomalous unless the distance is at most the threshold: a distance that is no
// number is an anomaly.
struct Answers {
  Chain distance, anomalous, cluster;
};

Answers add_answers(onnx::GraphProto& graph, const Chain& distances, const ClusterModel& model) {
  Chain distance = distances;
  onnx::NodeProto& least = distance.add("ReduceMin", "distance");
  set_ints(least, "axes", {1});
  set_int(least, "keepdims", 1);
  Answers answers{distance, distance, distances};
  onnx::NodeProto& nearest = answers.cluster.add("ArgMin", "cluster");
  set_int(nearest, "axis", 1);
  set_int(nearest, "keepdims", 1);
  set_int(answers.cluster.add("Cast", "cluster.float"), "to", onnx::TensorProto::FLOAT);
  answers.anomalous.add("LessOrEqual", "ordinary").add_input("threshold");
  answers.anomalous.add("Not", "anomalous");
  set_int(answers.anomalous.add("Cast", "anomalous.float"), "to", onnx::TensorProto::FLOAT);
  add_floats(graph, "threshold", {}, {model.threshold});
  return answers;
}

// Of every sample, [N, 1] each, and `features` [N, features]: those of its farthest window.
void choose_farthest(onnx::GraphProto& graph, Answers& answers, Chain features, std::int64_t count,
                     std::int64_t features_count) {
  add_integers(graph, "windows.shape", {2}, {-1, count});
  add_integers(graph, "windows.features_shape", {3}, {-1, count, features_count});
  const auto by_sample = [&](Chain& chain) {
    chain.add("Reshape", chain.value() + ".windows").add_input("windows.shape");
  };
  for (Chain* chain : {&answers.distance, &answers.anomalous, &answers.cluster}) by_sample(*chain);
  Chain farthest = answers.distance;
  onnx::NodeProto& most = farthest.add("ArgMax", "farthest");
  set_int(most, "axis", 1);
  set_int(most, "keepdims", 1);
  for (Chain* chain : {&answers.distance, &answers.cluster}) {
    onnx::NodeProto& pick = chain->add("GatherElements", chain->value() + ".farthest");
    pick.add_input(farthest.value());
    set_int(pick, "axis", 1);
  }
  onnx::NodeProto& any = answers.anomalous.add("ReduceMax", "anomalous.any");
  set_ints(any, "axes", {1});
  set_int(any, "keepdims", 1);
  features.add("Reshape", "features.by_sample").add_input("windows.features_shape");
  onnx::NodeProto& picked = features.add("GatherND", "features");
  picked.add_input(farthest.value());
  set_int(picked, "batch_dims", 1);
}

void add_anomaly(Answers& answers) {
  onnx::NodeProto& answer = answers.distance.add("Concat", "anomaly");
  answer.add_input(answers.anomalous.value());
  answer.add_input(answers.cluster.value());
  set_int(answer, "axis", 1);
}

}  // namespace

std::int64_t feature_count(const wire::Signal& signal, const WindowCut& cut, bool spectrum) {
  const std::int64_t channels = static_cast<std::int64_t>(signal.elements()) / signal.shape.back();
  return channels * (spectrum ? cut.window / 2 + 1 : cut.window);
}

Result<Bytes> write_cluster_onnx(const wire::Signal& signal, const WindowCut& cut, bool spectrum,
                                 const ClusterModel& model, const OnnxLineage& lineage) {
  const std::int64_t features = feature_count(signal, cut, spectrum);
  if (model.features() != features || static_cast<std::int64_t>(model.inverse_spread.size()) != features ||
      model.clusters < 1 || static_cast<std::int64_t>(model.centroids.size()) != model.clusters * features)
    return fail(Code::invalid, "this clustering is not one of the signal's samples");
  const bool windows = cut.count > 1 || cut.window < signal.shape.back();
  if (windows && (signal.shape.size() > 2 || cut.stride < 1 || (cut.count - 1) * cut.stride + cut.window > signal.shape.back()))
    return fail(Code::invalid, "the windows do not fit into a sample");
  onnx::ModelProto proto = begin_model(signal, lineage);
  onnx::GraphProto& graph = *proto.mutable_graph();
  set_value(*graph.add_output(), "anomaly", onnx::TensorProto::FLOAT, {3});
  set_value(*graph.add_output(), "features", onnx::TensorProto::FLOAT, {features});
  Chain chain = begin_chain(graph, signal);
  if (windows) add_windows(graph, chain, signal, cut);
  if (spectrum) add_spectrum(graph, chain, cut);
  add_features(graph, chain, model, windows ? 2 : 1, windows ? "features.windows" : "features");
  const Chain all_features = chain;
  add_distances(graph, chain, model);
  Answers answers = add_answers(graph, chain, model);
  if (windows) choose_farthest(graph, answers, all_features, cut.count, features);
  add_anomaly(answers);
  return finish_model(proto, lineage);
}

}  // namespace hone::trainer
