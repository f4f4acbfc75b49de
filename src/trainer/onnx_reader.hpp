// Reads the weights of a model file that a training is to begin from.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "trainer/plan.hpp"
#include "trainer/weights.hpp"

namespace hone::trainer {

constexpr std::size_t kOnnxBytesMax = std::size_t{1} << 30;

// The tensors of the plan, found by name. `damaged`: this is no ONNX file, or it is larger than
// kOnnxBytesMax. `wrong_base`: a tensor is absent, of another shape or not fp32 (the recipe has
// changed); the caller then trains from scratch. The graph itself is not looked at.
[[nodiscard]] Result<Weights> read_weights(ByteView onnx, const Plan& plan);

// What the model does with its input before the first layer, which must be of the same kind as the plan's
// (plan.input_scale: absent or of what shape); the values are the file's own. `damaged` as above, `wrong_base`
// when the kinds differ, or a value is no finite number.
[[nodiscard]] Result<std::optional<InputScale>> read_input_scale(ByteView onnx, const Plan& plan);

}  // namespace hone::trainer
