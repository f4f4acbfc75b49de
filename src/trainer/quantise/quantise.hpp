// The format "onnx-int8": from a trained ONNX file to one that computes in eight bits and is about four times smaller.
//
// Static quantisation: every Conv and Gemm with constant weights gets int8 weights, one scale an output channel, an int32 bias,
// and a data input of unsigned bytes whose scale was calibrated beforehand, all written as QuantizeLinear and DequantizeLinear
// (opset 13) around the nodes as they were, which ONNX Runtime fuses into integer kernels. What stands between them (MaxPool,
// Flatten) works on the bytes too. Input and output stay as they are: raw x in, float32 out.
//
// Calibration: the smallest and largest value of each quantised tensor on each calibration row; the bounds are the quantiles
// of those over the rows, so that one odd row does not make everything coarse. The figures come from the model itself, which
// is run through the port that devices run it with.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "shared/model/run/runtime.hpp"
#include "trainer/rows.hpp"

namespace hone::trainer {

constexpr std::int64_t kCalibrationRows = 1024;
constexpr double kCalibrationQuantile = 1.0;  // of the rows' extremes

// `rows` are training rows: at most kCalibrationRows of them, evenly spaced, are run. The same arguments give the same bytes.
// Errors: invalid (nothing to quantise, no rows, values that are not finite), damaged (no ONNX file, or one that the runtime cannot run).
[[nodiscard]] Result<Bytes> quantise_onnx(ByteView onnx, const Rows& rows, model::Runtime& runtime,
                                          double quantile = kCalibrationQuantile);

}  // namespace hone::trainer
