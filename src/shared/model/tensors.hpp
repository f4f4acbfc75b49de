// Where the tensors lie in a model file (ONNX, safetensors, TFLite, PyTorch, NumPy), found without
// trusting anything in it. Nothing is copied or reserialised; a file that is not understood has
// no tensors, which is an answer and not an error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace hone::model {

enum class ElementType : std::uint8_t { f32, f16, bf16, f64, i8, u8, i16, i32, i64, i4, other };

[[nodiscard]] std::string_view name_of(ElementType type);
[[nodiscard]] std::uint32_t bits_of(ElementType type);  // 0 for other

struct TensorExtent {
  std::string name;  // as the file has it; may be empty
  ElementType type = ElementType::other;
  std::vector<std::int64_t> shape;
  std::uint64_t offset = 0;  // in the file
  std::uint64_t bytes = 0;
};

enum class Container : std::uint8_t { unknown, onnx, safetensors, tflite, pytorch, numpy, zip };
[[nodiscard]] std::string_view name_of(Container container);

struct TensorMap {
  Container container = Container::unknown;
  std::vector<TensorExtent> tensors;  // by offset, not overlapping, inside the file
};

// Bounded: at most kTensorsMax tensors, nesting at most 16 deep, time linear in the file.
inline constexpr std::size_t kTensorsMax = 200'000;
[[nodiscard]] TensorMap find_tensors(ByteView file);

}  // namespace hone::model
