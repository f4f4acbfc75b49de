#include "edge/watch/watch.hpp"

#include <gtest/gtest.h>

namespace hone::edge {
namespace {

using namespace std::chrono_literals;

TEST(Watch, ConfirmsAfterEnoughErrorFreeAnswersOrTime) {
  const TrialRules rules{10, 1min, 3};
  EXPECT_EQ(judge(rules, {9, 0, 59s, 0}).judgement, Judgement::wait);
  EXPECT_EQ(judge(rules, {10, 0, 0s, 0}).judgement, Judgement::confirm);
  EXPECT_EQ(judge(rules, {0, 0, 60s, 3}).judgement, Judgement::confirm);
}

TEST(Watch, RevertsOnTheFirstErrorAndOnTooManyBoots) {
  const TrialRules rules{10, 1min, 3};
  EXPECT_EQ(judge(rules, {100, 1, 2min, 0}).judgement, Judgement::revert);
  EXPECT_EQ(judge(rules, {100, 1, 2min, 0}).reason, "1 failed inferences of 101");
  EXPECT_EQ(judge(rules, {0, 0, 0s, 4}).judgement, Judgement::revert);
}

}  // namespace
}  // namespace hone::edge
