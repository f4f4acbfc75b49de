// How long a training takes and how the learning rate moves: pure functions.
#pragma once

#include <cstdint>

#include "shared/pipeline/pipeline.hpp"

namespace hone::trainer {

// A set too small for this many steps is passed over more often, up to kPassesFactorMax times
// `epochs`: the first model of a pipeline learns from few samples, its later ones from many, and
// one figure in the pipeline file has to serve both.
constexpr std::int64_t kStepsMin = 800;
constexpr std::int64_t kPassesFactorMax = 4;

struct Schedule {
  std::int64_t epochs = 0;
  std::int64_t steps_per_epoch = 0;
  std::int64_t steps_warmup = 0;
  double peak = 0;  // learning rate

  [[nodiscard]] std::int64_t steps() const { return epochs * steps_per_epoch; }
  // One cycle (Smith & Topin 2018): linear up to the peak, then a cosine down to a hundredth of it.
  [[nodiscard]] double learning_rate(std::int64_t step) const;
};

// `rows` > 0 is the number of rows that are fitted. The last batch of an epoch may be smaller.
[[nodiscard]] Schedule schedule_for(const TrainRules& rules, std::int64_t rows);

}  // namespace hone::trainer
