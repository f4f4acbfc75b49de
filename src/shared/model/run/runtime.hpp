// The inference port: runs a model file, the same code on a device and in the gate.
//
// The contract of a hone model: one input `x` [N, ...signal.shape] of the signal's dtype (raw, the
// graph normalises), first output [N, width] float32: class scores for a classifier; or, named
// `anomaly`, an anomaly score (higher is stranger), 1 or 0 for anomalous or not, and what else the
// recipe tells (k-means: the cluster). A model may have further float32 outputs [N, ...], of which one
// can be asked for by name: `features` of k-means, `reconstruction` of an autoencoder, for the gate.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "shared/wire/signal.hpp"

namespace hone::model {

// A loaded model. run() is const and safe from several threads at once.
class Runner {
 public:
  virtual ~Runner() = default;
  [[nodiscard]] virtual std::int64_t width() const = 0;  // of one output row
  // The first output is named `anomaly`: a row begins with the score, then 1 or 0.
  [[nodiscard]] virtual bool scores_anomalies() const { return false; }
  // Of one row of the further output that load() named, all its axes together; 0 when it named none.
  [[nodiscard]] virtual std::int64_t further_width() const { return 0; }

  // `inputs` holds `rows` samples, `outputs` has room for rows * width() floats. `further` has room for
  // rows * further_width(), or is empty: then the further output is not fetched.
  // Errors: invalid (sizes), damaged (the runtime failed on this model).
  [[nodiscard]] virtual Result<> run(ByteView inputs, std::int64_t rows, std::span<float> outputs,
                                     std::span<float> further = {}) const = 0;
};

class Runtime {
 public:
  virtual ~Runtime() = default;
  // What one sample of a model of this contract is: shape and dtype of its input x. Nothing in the file says more:
  // the scale is 1, and there are no labels. `invalid` and `damaged` as for load().
  [[nodiscard]] virtual Result<wire::Signal> signal_of(ByteView onnx) = 0;
  // Refuses with `invalid` a model that does not fit the signal (names, shapes, dtypes), with
  // `damaged` one that the runtime cannot load. `further`: a second output that run() is to give too; a
  // model without one of that name is `invalid`.
  [[nodiscard]] virtual Result<std::unique_ptr<Runner>> load(ByteView onnx, const wire::Signal& signal,
                                                             std::string_view further = {}) = 0;
};

// How long a run of a model that nobody has tried yet may take, whatever its rows: far more than a sound one needs.
inline constexpr Duration kUntriedRunMax = std::chrono::minutes(10);

// ONNX Runtime, one intra-op thread, spinning off. A run that takes longer than `run_max` is ended, as `damaged`: for
// models that nobody has tried yet, since it costs a thread a run. Zero: none is ended, and none costs a thread.
// `damaged` when the library cannot be used.
[[nodiscard]] Result<std::unique_ptr<Runtime>> make_onnx_runtime(Duration run_max = Duration(0));

}  // namespace hone::model
