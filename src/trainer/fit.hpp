// Fits the weights of a planned network to labelled rows in memory: AdamW, one-cycle learning rate,
// seeded shuffling, the best epoch chosen on validation rows. CUDA when libtorch has it, else all
// cores. On one machine the same rows, plan, start and seed give the same bits on the CPU.
//
// Uses libtorch's global state (default generator, thread count): one fit at a time in a process.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/wire/messages.hpp"
#include "trainer/plan.hpp"
#include "trainer/rows.hpp"
#include "trainer/weights.hpp"

namespace hone::trainer {

// Called on the fitting thread about every ten steps and after every epoch. True: stop, cancelled.
using OnProgress = std::function<bool(const wire::ProgressPoint&)>;

// For a training that is the part between `from` and `to` of a longer one. Borrows `progress`.
[[nodiscard]] inline OnProgress part_of_training(const OnProgress& progress, double from, double to) {
  return [&progress, from, to](wire::ProgressPoint point) {
    point.progress = from + (to - from) * point.progress;
    return progress(point);
  };
}

struct Fitted {
  Weights weights;
  double validation_metric = 0;            // of `weights` on the validation rows
  std::int64_t epoch = 0;                  // that they are from, counting from 1
  std::int64_t steps = 0;                  // in all
  std::string device;                      // "cpu" or "cuda"
  std::vector<wire::ProgressPoint> curve;  // one point per epoch
};

// Errors: invalid (no rows, rows that do not fit the plan, a loss that is no number),
// wrong_base (`start` does not fit the plan), cancelled, unavailable (libtorch failed: no memory).
[[nodiscard]] Result<Fitted> fit(const Plan& plan, const TrainRules& rules, const Rows& rows,
                                 const std::optional<Weights>& start, std::uint64_t seed, const OnProgress& progress);

// `invalid` when there is none, or they do not fit the plan's signal.
[[nodiscard]] Result<> check_rows(const Plan& plan, const Rows& rows);

[[nodiscard]] std::string libtorch_version();

}  // namespace hone::trainer
