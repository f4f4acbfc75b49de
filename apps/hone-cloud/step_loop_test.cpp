#include "step_loop.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace hone::app {
namespace {

constexpr Duration kForever = std::chrono::hours(1);

TEST(StepLoop, StepsAtOnceAndAgainWhenItSaidSo) {
  std::promise<void> third;
  int steps = 0;
  StepLoop loop;
  loop.start([&] {
    if (++steps == 3) third.set_value();
    return steps < 3 ? Duration(1) : kForever;
  });
  third.get_future().wait();
  EXPECT_TRUE(loop.stop(kForever));
  EXPECT_EQ(steps, 3);
}

TEST(StepLoop, AWakeEndsTheSleep) {
  std::promise<void> first, second;
  int steps = 0;
  StepLoop loop;
  loop.start([&] {
    (++steps == 1 ? first : second).set_value();
    return kForever;
  });
  first.get_future().wait();
  loop.wake();
  second.get_future().wait();
  EXPECT_TRUE(loop.stop(kForever));
}

TEST(StepLoop, AWakeDuringAStepAsksForAnother) {
  std::promise<void> second;
  int steps = 0;
  StepLoop loop;
  loop.start([&] {
    if (++steps == 1) loop.wake();
    else second.set_value();
    return kForever;
  });
  second.get_future().wait();
  EXPECT_TRUE(loop.stop(kForever));
}

TEST(StepLoop, StopDoesNotWaitLongerThanItIsTold) {
  std::promise<void> entered, release;
  StepLoop loop;
  loop.start([&] {
    entered.set_value();
    release.get_future().wait();
    return kForever;
  });
  entered.get_future().wait();
  EXPECT_FALSE(loop.stop(Duration(0)));
  release.set_value();
  EXPECT_TRUE(loop.stop(kForever));
}

}  // namespace
}  // namespace hone::app
