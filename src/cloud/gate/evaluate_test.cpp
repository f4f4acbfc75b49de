#include "cloud/gate/evaluate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace hone::cloud {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kNames{"cat", "dog", "owl"};

TEST(Evaluate, PairsTheTwoModelsRowByRow) {
  const std::vector<std::int64_t> labels{0, 0, 1, 1, -1, 0};
  const std::vector<std::int32_t> candidate{0, 1, 1, 1, 2, 0};
  const std::vector<std::int32_t> running{0, 0, 1, 2, 2, 1};
  const auto facts = facts_from_predictions(candidate, std::span<const std::int32_t>(running), labels, kNames);
  ASSERT_TRUE(facts) << facts.error().context;
  EXPECT_EQ(facts->candidate.rows, 6);
  EXPECT_EQ(facts->candidate.labelled_rows, 5);
  EXPECT_DOUBLE_EQ(facts->candidate.metric, 0.8);
  ASSERT_TRUE(facts->deployed);
  EXPECT_DOUBLE_EQ(facts->deployed->metric, 0.6);
  const metrics::PairedCounts& counts = facts->deployed->counts;
  EXPECT_EQ(counts.both, 2);
  EXPECT_EQ(counts.only_first, 1);
  EXPECT_EQ(counts.only_second, 2);
  EXPECT_EQ(counts.neither, 0);
  ASSERT_EQ(facts->deployed->slices.size(), 2u);  // no row is an owl
  EXPECT_EQ(facts->deployed->slices[0].label, "cat");
  EXPECT_EQ(facts->deployed->slices[0].counts.n(), 3);
  EXPECT_EQ(facts->deployed->slices[1].counts.only_second, 1);
}

TEST(Evaluate, TakesTheLargestScoreAndCallsANaNRowWrong) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<std::int64_t> labels{2, 0, 1};
  const std::vector<float> scores{0, 1, 2, nan, nan, nan, 0, 5, 1};
  const auto facts = facts_from_scores(scores, std::nullopt, labels, kNames);
  ASSERT_TRUE(facts) << facts.error().context;
  EXPECT_FALSE(facts->deployed);
  EXPECT_DOUBLE_EQ(facts->candidate.metric, 2.0 / 3);
  const std::vector<float> running{0, 1, 2, 9, 0, 0, 9, 0, 0};
  const auto paired = facts_from_scores(scores, std::span<const float>(running), labels, kNames);
  ASSERT_TRUE(paired);
  EXPECT_EQ(paired->deployed->counts.only_first, 1);
  EXPECT_EQ(paired->deployed->counts.only_second, 1);
}

TEST(Evaluate, MeasuresNothingWithoutLabels) {
  const auto facts =
      facts_from_predictions(std::vector<std::int32_t>{0, 1}, std::nullopt, std::vector<std::int64_t>{-1, -1}, kNames);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->candidate.labelled_rows, 0);
  EXPECT_EQ(facts->candidate.metric, 0);
}

TEST(Evaluate, RefusesLengthsAndLabelsThatDoNotFit) {
  const std::vector<std::int64_t> labels{0, 3};
  const std::vector<std::int32_t> two{0, 1};
  const std::vector<std::int32_t> three{0, 1, 2};
  EXPECT_THAT(facts_from_predictions(three, std::nullopt, labels, kNames).error().context,
              HasSubstr("3 predictions for 2 holdout rows"));
  EXPECT_THAT(facts_from_predictions(two, std::span<const std::int32_t>(three), labels, kNames).error().context,
              HasSubstr("deployed"));
  EXPECT_THAT(facts_from_predictions(two, std::nullopt, labels, kNames).error().context, HasSubstr("the label 3"));
  EXPECT_THAT(facts_from_scores(std::vector<float>(5), std::nullopt, labels, kNames).error().context,
              HasSubstr("5 scores"));
  EXPECT_FALSE(facts_from_scores({}, std::nullopt, {}, {}));
}

}  // namespace
}  // namespace hone::cloud
