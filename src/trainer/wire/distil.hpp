// Trains updates under byte budgets: from the deployed weights, in integers, after a teacher that was
// trained freely on the same rows. docs/training-for-the-wire.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.hpp"
#include "trainer/fit.hpp"
#include "trainer/wire/tensor_update.hpp"

namespace hone::trainer::wire_training {

struct Distillation {  // borrowed; the rules say how many rows a batch has, and for how many epochs every update learns
  const Plan& plan;
  const TrainRules& rules;
  const Rows& rows;
  const Weights& deployed;  // as devices have them
  const Weights& teacher;
  std::uint64_t seed = 0;
};

// The real coder: the bytes that an update takes on the wire, all of them.
using Measure = std::function<Result<std::uint64_t>(const Update&)>;

struct Distilled {
  Update update;
  std::uint64_t bytes = 0;       // as measured, at most the budget
  double validation_metric = 0;  // of the rebuilt weights
  std::int64_t steps = 0;
};

// Uses libtorch's global state as fit() does: one at a time in a process.
class Distiller {
 public:
  Distiller(const Distillation& task, Measure measure, OnProgress progress);
  ~Distiller();
  Distiller(const Distiller&) = delete;
  Distiller& operator=(const Distiller&) = delete;

  // The deployed weights on the validation rows, as `validation_metric` is.
  [[nodiscard]] Result<double> deployed_metric();

  // The update under `bytes`, whatever was asked before. Errors as in fit(); `no_space`: not even an update that
  // changes nothing fits.
  [[nodiscard]] Result<Distilled> under(std::uint64_t bytes);

 private:
  class Session;
  std::unique_ptr<Session> session_;
};

}  // namespace hone::trainer::wire_training
