// Writes a small classifier as ONNX bytes by hand, for tests: no ONNX library is needed.
//   scores = Gemm(Flatten(Mul(Cast(x), scale)), weights, bias)
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "shared/wire/signal.hpp"

namespace hone::model::testing {

// protobuf wire format: varints, length-delimited fields.
class Message {
 public:
  Message& number(int field, std::uint64_t value) {
    varint(static_cast<std::uint64_t>(field) << 3);
    varint(value);
    return *this;
  }
  Message& text(int field, std::string_view value) {
    varint(static_cast<std::uint64_t>(field) << 3 | 2);
    varint(value.size());
    out_ += value;
    return *this;
  }
  Message& message(int field, const Message& value) { return text(field, value.out_); }
  [[nodiscard]] const std::string& bytes() const { return out_; }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
    out_ += static_cast<char>(value);
  }
  std::string out_;
};

inline std::uint64_t onnx_type(wire::DType dtype) {
  switch (dtype) {
    case wire::DType::uint8: return 2;
    case wire::DType::int8: return 3;
    case wire::DType::int16: return 5;
    case wire::DType::int32: return 6;
    case wire::DType::float32: return 1;
  }
  return 0;
}

// dims: -1 is the batch axis.
inline Message value_info(const std::string& name, std::uint64_t type, const std::vector<std::int64_t>& dims) {
  Message shape;
  for (const std::int64_t d : dims) {
    Message dim;
    if (d < 0) {
      dim.text(2, "N");
    } else {
      dim.number(1, static_cast<std::uint64_t>(d));
    }
    shape.message(1, dim);
  }
  return Message().text(1, name).message(2, Message().message(1, Message().number(1, type).message(2, shape)));
}

inline Message float_tensor(const std::string& name, const std::vector<std::int64_t>& dims,
                            const std::vector<float>& values) {
  Message tensor;
  for (const std::int64_t d : dims) tensor.number(1, static_cast<std::uint64_t>(d));
  std::string raw(values.size() * sizeof(float), '\0');
  std::memcpy(raw.data(), values.data(), raw.size());
  return tensor.number(2, 1).text(8, name).text(9, raw);
}

inline Message node(const std::string& op, const std::vector<std::string>& inputs, const std::string& output) {
  Message m;
  for (const auto& input : inputs) m.text(1, input);
  return m.text(2, output).text(4, op);
}

struct LinearModel {
  wire::Signal signal;
  std::vector<float> weights;  // [elements, width], row-major
  std::vector<float> bias;     // [width]
  std::string input = "x";
  bool fixed_batch = false;  // a batch axis of 1: breaks the contract
};

inline Bytes onnx_bytes(const LinearModel& model) {
  const auto elements = static_cast<std::int64_t>(model.signal.elements());
  const auto width = static_cast<std::int64_t>(model.bias.size());
  std::vector<std::int64_t> in_dims{model.fixed_batch ? 1 : -1};
  in_dims.insert(in_dims.end(), model.signal.shape.begin(), model.signal.shape.end());

  Message cast = node("Cast", {model.input}, "raw");
  cast.message(5, Message().text(1, "to").number(3, 1).number(20, 2));  // AttributeProto: INT, float32
  Message graph;
  graph.message(1, cast)
      .message(1, node("Mul", {"raw", "scale"}, "scaled"))
      .message(1, node("Flatten", {"scaled"}, "flat"))
      .message(1, node("Gemm", {"flat", "weights", "bias"}, "scores"))
      .text(2, "linear")
      .message(5, float_tensor("scale", {}, {static_cast<float>(model.signal.scale)}))
      .message(5, float_tensor("weights", {elements, width}, model.weights))
      .message(5, float_tensor("bias", {width}, model.bias))
      .message(11, value_info(model.input, onnx_type(model.signal.dtype), in_dims))
      .message(12, value_info("scores", 1, {model.fixed_batch ? 1 : -1, width}));
  return to_bytes(Message().number(1, 8).message(7, graph).message(8, Message().number(2, 13)).bytes());
}

}  // namespace hone::model::testing
