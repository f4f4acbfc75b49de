// Writes a k-means model as ONNX bytes by hand, for tests: the graph that the recipe writes, without its library.
//   features  = Clip((Cast(x) * scale - center) * inverse_spread, -clip, clip)
//   distances = |features - centroids|;   anomaly = [distance, anomalous, cluster] of the nearest
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shared/model/run/testing_model.hpp"

namespace hone::model::testing {

struct ClusterModel {
  wire::Signal signal;
  std::vector<float> center;          // [elements]
  std::vector<float> inverse_spread;  // [elements]
  std::vector<float> centroids;       // [clusters, elements], in features
  float clip = 5;
  float threshold = 1;
  bool tells_features = true;  // false breaks the contract: the second output is missing
};

namespace detail {

inline Message int_attribute(const std::string& name, std::int64_t value) {
  return Message().text(1, name).number(3, static_cast<std::uint64_t>(value)).number(20, 2);
}

inline Message ints_attribute(const std::string& name, std::int64_t value) {
  return Message().text(1, name).number(8, static_cast<std::uint64_t>(value)).number(20, 7);
}

inline Message with(Message node, const std::vector<Message>& attributes) {
  for (const Message& attribute : attributes) node.message(5, attribute);
  return node;
}

}  // namespace detail

inline Bytes onnx_bytes(const ClusterModel& model) {
  using detail::int_attribute;
  using detail::ints_attribute;
  using detail::with;
  const auto elements = static_cast<std::int64_t>(model.signal.elements());
  const auto clusters = static_cast<std::int64_t>(model.centroids.size()) / elements;
  std::vector<std::int64_t> in_dims{-1};
  in_dims.insert(in_dims.end(), model.signal.shape.begin(), model.signal.shape.end());

  std::string axis_bytes(8, '\0');
  axis_bytes[0] = 1;
  const Message axis = Message().number(1, 1).number(2, 7).text(8, "axis").text(9, axis_bytes);
  Message graph;
  graph.message(1, with(node("Cast", {"x"}, "raw"), {int_attribute("to", 1)}))
      .message(1, node("Mul", {"raw", "scale"}, "scaled"))
      .message(1, with(node("Flatten", {"scaled"}, "flat"), {int_attribute("axis", 1)}))
      .message(1, node("Sub", {"flat", "center"}, "centred"))
      .message(1, node("Mul", {"centred", "inverse_spread"}, "spread"))
      .message(1, node("Clip", {"spread", "low", "high"}, "features"))
      .message(1, node("Unsqueeze", {"features", "axis"}, "row"))
      .message(1, node("Sub", {"row", "centroids"}, "away"))
      .message(1, with(node("ReduceL2", {"away"}, "distances"), {ints_attribute("axes", 2), int_attribute("keepdims", 0)}))
      .message(1, with(node("ReduceMin", {"distances"}, "distance"),
                       {ints_attribute("axes", 1), int_attribute("keepdims", 1)}))
      .message(1, with(node("ArgMin", {"distances"}, "nearest"), {int_attribute("axis", 1), int_attribute("keepdims", 1)}))
      .message(1, with(node("Cast", {"nearest"}, "cluster"), {int_attribute("to", 1)}))
      .message(1, node("Greater", {"distance", "threshold"}, "strange"))
      .message(1, with(node("Cast", {"strange"}, "anomalous"), {int_attribute("to", 1)}))
      .message(1, with(node("Concat", {"distance", "anomalous", "cluster"}, "anomaly"), {int_attribute("axis", 1)}))
      .text(2, "clusters")
      .message(5, float_tensor("scale", {}, {static_cast<float>(model.signal.scale)}))
      .message(5, float_tensor("center", {elements}, model.center))
      .message(5, float_tensor("inverse_spread", {elements}, model.inverse_spread))
      .message(5, float_tensor("low", {}, {-model.clip}))
      .message(5, float_tensor("high", {}, {model.clip}))
      .message(5, axis)
      .message(5, float_tensor("centroids", {clusters, elements}, model.centroids))
      .message(5, float_tensor("threshold", {}, {model.threshold}))
      .message(11, value_info("x", onnx_type(model.signal.dtype), in_dims))
      .message(12, value_info("anomaly", 1, {-1, 3}));
  if (model.tells_features) graph.message(12, value_info("features", 1, {-1, elements}));
  return to_bytes(Message().number(1, 8).message(7, graph).message(8, Message().number(2, 13)).bytes());
}

}  // namespace hone::model::testing
