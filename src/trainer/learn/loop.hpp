// Steps and epochs: seeded shuffling, AdamW, the one-cycle learning rate, the best epoch. What is
// good is the objective's. This header knows libtorch.
#pragma once

#include "base/result.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "trainer/fit.hpp"
#include "trainer/learn/objective.hpp"

namespace hone::trainer {

// Fits `network` to the rows `fit` [n] int64, at most for the epochs of schedule_for() and until
// rules.patience of them have passed without a better one. Draws from libtorch's default generator (call
// at::manual_seed first). Errors: invalid (the loss is no number), cancelled.
[[nodiscard]] Result<Fitted> run_loop(Network& network, const Objective& objective, const at::Tensor& fit,
                                      const TrainRules& rules, const OnProgress& progress);

}  // namespace hone::trainer
