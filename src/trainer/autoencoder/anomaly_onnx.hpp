// Writes an autoencoder as an ONNX file: opset 13, IR 8, the contract of shared/model/run.
//
//   x [N, ...shape] -> Cast -> Mul scale -> normalise, clip -> Flatten = features -> layers = decoded
//     -> anomaly [N, 2]: root of the mean squared difference of features and decoded; anomalous 1 or 0
//     -> reconstruction [N, elements]: decoded in the units of raw * scale
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "trainer/onnx_writer.hpp"
#include "trainer/plan.hpp"
#include "trainer/weights.hpp"

namespace hone::trainer {

// `plan` is that of plan_autoencoder, with an input scale for each element. Anomalous: score > threshold, or a score
// that is no number. `invalid` for weights or a scale of another network.
[[nodiscard]] Result<Bytes> write_anomaly_onnx(const Plan& plan, const Weights& weights, float threshold,
                                               const OnnxLineage& lineage);

}  // namespace hone::trainer
