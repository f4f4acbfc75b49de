#include "trainer/threshold.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace hone::trainer {
namespace {

using ::testing::HasSubstr;

std::vector<float> exponential(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 draw(seed);
  std::vector<float> scores;
  for (std::size_t i = 0; i < count; ++i)
    scores.push_back(static_cast<float>(-std::log1p(-static_cast<double>(draw() >> 11) * 0x1p-53)));
  return scores;
}

TEST(Threshold, LeavesTheAskedShareOfTheScoresAboveIt) {
  std::vector<float> scores;
  for (int i = 1000; i > 0; --i) scores.push_back(static_cast<float>(i));
  const Threshold threshold = threshold_for(scores, 0.05);
  EXPECT_NEAR(threshold.value, 950.05, 1e-9);  // numpy.quantile(range(1, 1001), 0.95)
  EXPECT_FALSE(threshold.extrapolated);
}

TEST(Threshold, FollowsTheTailToRaritiesThatTheScoresCannotShow) {
  // One in 100,000 of the exponential distribution exceeds 11.51. The largest of 20,000 draws is about
  // 10.5; twenty tails, fitted to as many draws each, say on average what lies beyond it.
  double sum = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Threshold threshold = threshold_for(exponential(20000, seed), 1e-5);
    EXPECT_TRUE(threshold.extrapolated);
    sum += threshold.value;
  }
  EXPECT_NEAR(sum / 20, 11.51, 0.8);
}

TEST(Threshold, OfABoundedScoreIsNotBeyondReason) {
  std::vector<float> scores;
  for (int i = 0; i < 2000; ++i) scores.push_back(static_cast<float>(i) / 2000);
  const Threshold threshold = threshold_for(scores, 1e-6);
  EXPECT_GT(threshold.value, 0.99);
  EXPECT_LT(threshold.value, 1.06);
}

TEST(Threshold, IsTheCommonScoreWhereAllAreEqual) {
  EXPECT_DOUBLE_EQ(threshold_for(std::vector<float>(500, 2.0f), 1e-5).value, 2.0);
  EXPECT_DOUBLE_EQ(threshold_for({3.0f}, 0.01).value, 3.0);
}

TEST(Threshold, TurnsABudgetOfAlarmsIntoAShareOfTheWindows) {
  AnomalyRules rules;
  rules.alarms_per_day = 86.4;
  EXPECT_NEAR(*alarm_share(rules, 1.0, 1e12), 0.001, 1e-6);
  EXPECT_NEAR(*alarm_share(rules, 10.0, 1e12), 0.0001, 1e-6);
  EXPECT_THAT(alarm_share(rules, std::nullopt, 1000).error().context, HasSubstr("signal.rate_hz"));
  EXPECT_EQ(alarm_share(rules, 0.0001, 1000).error().code, Code::invalid);
  EXPECT_DOUBLE_EQ(*alarm_share(AnomalyRules{}, std::nullopt, 10), 1 - 0.99);
}

// Statistics' own example: the upper 95% score bound of 55 in 1,000 is 6.81%.
TEST(Threshold, KeepsRoomInABudgetForWhatFewRowsDoNotTell) {
  AnomalyRules rules;
  rules.alarms_per_day = 0.0681 * 86400;
  EXPECT_NEAR(*alarm_share(rules, 1.0, 1000), 0.055, 0.0001);
  EXPECT_GT(*alarm_share(rules, 1.0, 10'000), 0.063);
  EXPECT_DOUBLE_EQ(*alarm_share(rules, 1.0, 10), 0.0681 / 4);
}

TEST(Threshold, OfABudgetKeepsItOnRowsThatWereNotSeenInNineteenOfTwentyCases) {
  AnomalyRules rules;
  rules.alarms_per_day = 0.02 * 86400;
  int kept = 0, kept_without_room = 0;
  constexpr int kRuns = 400;
  for (std::uint64_t seed = 1; seed <= kRuns; ++seed) {
    const std::vector<float> scores = exponential(2000, seed);
    const auto rate = [](double threshold) { return std::exp(-threshold); };  // of alarms, among all that may come
    kept += rate(threshold_for(scores, *alarm_share(rules, 1.0, 2000)).value) <= 0.02 ? 1 : 0;
    kept_without_room += rate(threshold_for(scores, 0.02).value) <= 0.02 ? 1 : 0;
  }
  EXPECT_GE(kept, kRuns * 92 / 100);
  EXPECT_LT(kept_without_room, kRuns * 60 / 100);
}

}  // namespace
}  // namespace hone::trainer
