// The layers of a plan as nodes of an ONNX graph, for the writers of this folder. This header knows
// ONNX's protobuf.
#pragma once

#include <string>

#include "base/result.hpp"
#include "trainer/onnx_graph.hpp"
#include "trainer/plan.hpp"
#include "trainer/weights.hpp"

namespace hone::trainer {

// Names of the input scale's tensors, which the reader looks for.
inline constexpr const char* kCenterName = "input.center";
inline constexpr const char* kInverseSpreadName = "input.inverse_spread";
inline constexpr const char* kClipName = "input.clip.high";

// Sub, Mul, Clip; nothing when the plan has no input scale. The last node is named `name`.
void add_input_scale(Chain& chain, onnx::GraphProto& graph, const Plan& plan, const std::string& name);

// Every layer with its weights; the last node is named `name`. `invalid` for weights that are not those of the plan.
[[nodiscard]] Result<> add_layers(Chain& chain, onnx::GraphProto& graph, const Plan& plan, const Weights& weights,
                                  const std::string& name);

}  // namespace hone::trainer
