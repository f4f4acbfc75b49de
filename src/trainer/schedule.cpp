#include "trainer/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hone::trainer {
namespace {

constexpr double kWarmupShare = 0.15;
constexpr double kFinalShare = 0.01;  // of the peak

std::int64_t divided_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

double Schedule::learning_rate(std::int64_t step) const {
  if (step < steps_warmup) return peak * static_cast<double>(step + 1) / static_cast<double>(steps_warmup + 1);
  const double done =
      static_cast<double>(step - steps_warmup) / static_cast<double>(std::max<std::int64_t>(1, steps() - steps_warmup));
  return peak * (kFinalShare + (1 - kFinalShare) * 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, done))));
}

Schedule schedule_for(const TrainRules& rules, std::int64_t rows) {
  Schedule schedule;
  schedule.peak = rules.learning_rate;
  schedule.steps_per_epoch = divided_up(rows, rules.batch_size);
  const std::int64_t wanted = divided_up(kStepsMin, schedule.steps_per_epoch);
  schedule.epochs = std::clamp(wanted, rules.epochs, rules.epochs * kPassesFactorMax);
  schedule.steps_warmup = static_cast<std::int64_t>(kWarmupShare * static_cast<double>(schedule.steps()));
  return schedule;
}

}  // namespace hone::trainer
