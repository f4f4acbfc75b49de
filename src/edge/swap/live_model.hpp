// A model that may answer: loaded, and either self-tested or proved before. Made only here.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/wire/release.hpp"

namespace hone::edge {

class LiveModel {
 public:
  // Loads a model and runs the manifest's self-test. Errors: damaged (does not load, or answers
  // differ by more than the tolerance: on this machine it would not be the model that the gate
  // measured), invalid (does not fit the signal).
  [[nodiscard]] static Result<std::unique_ptr<LiveModel>> self_tested(model::Runtime& runtime, ByteView onnx,
                                                                      const wire::ReleaseManifest& manifest);

  // Loads a model that passed its self-test on this device before; its bytes were hash-checked.
  [[nodiscard]] static Result<std::unique_ptr<LiveModel>> installed(model::Runtime& runtime, ByteView onnx,
                                                                    const wire::Signal& signal, ReleaseSeq release);

  [[nodiscard]] ReleaseSeq release() const { return release_; }
  [[nodiscard]] const model::Runner& runner() const { return *runner_; }

  // Counts every answer; inference threads add, the stepping thread reads.
  mutable std::atomic<std::uint64_t> inferences{0};
  mutable std::atomic<std::uint64_t> errors{0};

 private:
  LiveModel(std::unique_ptr<model::Runner> runner, ReleaseSeq release)
      : runner_(std::move(runner)), release_(release) {}

  const std::unique_ptr<model::Runner> runner_;
  const ReleaseSeq release_;
};

// Whether `runner` gives the expected outputs for the fixed inputs. `damaged` names the first row
// and the difference.
[[nodiscard]] Result<> self_test(const model::Runner& runner, const wire::SelfTest& test);

}  // namespace hone::edge
