// The inference port: runs a model file, the same code on a device and in the gate.
//
// The contract of a hone model: one input `x` [N, ...signal.shape] of the signal's dtype (raw, the
// graph normalises), first output [N, width] float32: class scores for a classifier; or, named
// `anomaly`, an anomaly score (higher is stranger), 1 or 0 for anomalous or not, and what else the
// recipe tells (k-means: the cluster).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "shared/wire/signal.hpp"

namespace hone::model {

// A loaded model. run() is const and safe from several threads at once.
class Runner {
 public:
  virtual ~Runner() = default;
  [[nodiscard]] virtual std::int64_t width() const = 0;  // of one output row

  // `inputs` holds `rows` samples, `outputs` has room for rows * width() floats.
  // Errors: invalid (sizes), damaged (the runtime failed on this model).
  [[nodiscard]] virtual Result<> run(ByteView inputs, std::int64_t rows, std::span<float> outputs) const = 0;
};

class Runtime {
 public:
  virtual ~Runtime() = default;
  // Refuses with `invalid` a model that does not fit the signal (names, shapes, dtypes), with
  // `damaged` one that the runtime cannot load.
  [[nodiscard]] virtual Result<std::unique_ptr<Runner>> load(ByteView onnx, const wire::Signal& signal) = 0;
};

// ONNX Runtime, one intra-op thread, spinning off. `damaged` when the library cannot be used.
[[nodiscard]] Result<std::unique_ptr<Runtime>> make_onnx_runtime();

}  // namespace hone::model
