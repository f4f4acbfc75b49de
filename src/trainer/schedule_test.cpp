#include "trainer/schedule.hpp"

#include <gtest/gtest.h>

namespace hone::trainer {
namespace {

TrainRules rules(std::int64_t epochs) {
  TrainRules result;
  result.epochs = epochs;
  result.batch_size = 100;
  result.learning_rate = 0.01;
  return result;
}

TEST(Schedule, PassesOverALargeSetAsOftenAsTheFileSays) {
  const Schedule schedule = schedule_for(rules(6), 40000);
  EXPECT_EQ(schedule.epochs, 6);
  EXPECT_EQ(schedule.steps_per_epoch, 400);
}

TEST(Schedule, PassesOverASmallSetMoreOftenWithinItsBound) {
  EXPECT_EQ(schedule_for(rules(6), 5000).epochs, 16);  // 50 steps each: 800 in all
  EXPECT_EQ(schedule_for(rules(6), 150).epochs, 6 * kPassesFactorMax);
  EXPECT_EQ(schedule_for(rules(6), 1).steps_per_epoch, 1);
}

TEST(Schedule, RisesToThePeakAndFallsNearlyToZero) {
  const Schedule schedule = schedule_for(rules(6), 40000);
  double last = 0;
  for (std::int64_t step = 0; step < schedule.steps_warmup; ++step) {
    EXPECT_GT(schedule.learning_rate(step), last);
    last = schedule.learning_rate(step);
  }
  EXPECT_DOUBLE_EQ(schedule.learning_rate(schedule.steps_warmup), 0.01);
  for (std::int64_t step = schedule.steps_warmup + 1; step < schedule.steps(); ++step)
    ASSERT_LT(schedule.learning_rate(step), schedule.learning_rate(step - 1));
  EXPECT_NEAR(schedule.learning_rate(schedule.steps() - 1), 0.0001, 1e-5);
}

}  // namespace
}  // namespace hone::trainer
