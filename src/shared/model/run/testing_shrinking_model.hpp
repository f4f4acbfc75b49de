// Writes an autoencoder of a flat signal as ONNX bytes by hand, for tests. It gives a row back shrunk:
//   reconstruction = gain * Cast(x);   anomaly = [distance, anomalous]
#pragma once

#include "shared/model/run/testing_model.hpp"

namespace hone::model::testing {

struct ShrinkingModel {
  wire::Signal signal;  // its scale is 1
  float gain = 1;
};

inline Bytes onnx_bytes(const ShrinkingModel& model) {
  const auto with = [](Message node, const Message& attribute) { return node.message(5, attribute); };
  const auto to_float = Message().text(1, "to").number(3, 1).number(20, 2);
  const auto axis = Message().text(1, "axis").number(3, 1).number(20, 2);
  const auto elements = static_cast<std::int64_t>(model.signal.elements());
  Message graph;
  graph.message(1, with(node("Cast", {"x"}, "raw"), to_float))
      .message(1, node("Mul", {"raw", "gain"}, "reconstruction"))
      .message(1, node("Sub", {"raw", "reconstruction"}, "missed"))
      .message(1, with(node("ReduceL2", {"missed"}, "score"), Message().text(1, "axes").number(8, 1).number(20, 7)))
      .message(1, node("Greater", {"score", "threshold"}, "strange"))
      .message(1, with(node("Cast", {"strange"}, "anomalous"), to_float))
      .message(1, with(node("Concat", {"score", "anomalous"}, "anomaly"), axis))
      .text(2, "shrinking")
      .message(5, float_tensor("gain", {}, {model.gain}))
      .message(5, float_tensor("threshold", {}, {50}))
      .message(11, value_info("x", onnx_type(model.signal.dtype), {-1, elements}))
      .message(12, value_info("anomaly", 1, {-1, 2}))
      .message(12, value_info("reconstruction", 1, {-1, elements}));
  return to_bytes(Message().number(1, 8).message(7, graph).message(8, Message().number(2, 13)).bytes());
}

}  // namespace hone::model::testing
