#include "cloud/gate/evaluate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <utility>

namespace hone::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<std::string> kNames{"cat", "dog", "owl"};

TEST(Evaluate, PairsTheTwoModelsRowByRow) {
  const std::vector<std::int64_t> labels{0, 0, 1, 1, -1, 0};
  const std::vector<double> candidate{0, 1, 1, 1, 2, 0};
  const std::vector<double> running{0, 0, 1, 2, 2, 1};
  const std::vector<std::uint8_t> twins{0, 1, 0, 0, 1, 0};
  const auto facts =
      facts_from_answers(Metric::accuracy, candidate, std::span<const double>(running), labels, kNames, {twins, {}});
  ASSERT_TRUE(facts) << facts.error().context;
  EXPECT_EQ(facts->candidate.rows, 6);
  EXPECT_EQ(facts->candidate.measured_rows, 5);
  EXPECT_EQ(facts->candidate.rows_with_twin, 1);
  EXPECT_DOUBLE_EQ(facts->candidate.metric, 0.8);
  ASSERT_TRUE(facts->deployed);
  EXPECT_DOUBLE_EQ(facts->deployed->metric, 0.6);
  EXPECT_EQ(facts->deployed->rows.size(), 0);
  const metrics::PairedCounts& counts = facts->deployed->counts;
  EXPECT_EQ(counts.both, 2);
  EXPECT_EQ(counts.only_first, 1);
  EXPECT_EQ(counts.only_second, 2);
  EXPECT_EQ(counts.neither, 0);
  EXPECT_EQ(facts->deployed->counts_without_twin.only_first, 0);
  EXPECT_EQ(facts->deployed->counts_without_twin.n(), 4);
  ASSERT_EQ(facts->deployed->slices.size(), 3u);
  EXPECT_EQ(facts->deployed->slices[0].label, "cat");
  EXPECT_EQ(facts->deployed->slices[0].counts.n(), 3);
  EXPECT_EQ(facts->deployed->slices[1].counts.only_second, 1);
  EXPECT_EQ(facts->deployed->slices[2].counts.n(), 0);
}

TEST(Evaluate, KeepsRowsForMetricsThatCountsDoNotGive) {
  const std::vector<std::int64_t> labels{0, 1, -1, 1};
  const std::vector<double> candidate{0, 1, 1, 1}, running{0, 1, 0, 0};
  const auto f1 = facts_from_answers(Metric::f1, candidate, std::span<const double>(running), labels, {"no", "yes"});
  ASSERT_TRUE(f1);
  EXPECT_DOUBLE_EQ(f1->candidate.metric, 1);
  EXPECT_DOUBLE_EQ(f1->deployed->metric, 2.0 / 3);
  EXPECT_THAT(f1->deployed->rows.label, ElementsAre(0, 1, 1));
  EXPECT_THAT(f1->deployed->rows.deployed, ElementsAre(0, 1, 0));
  EXPECT_EQ(f1->deployed->slices[1].counts.only_second, 1);
  const std::vector<double> scores{0.2, 0.9, 0, 0.1};
  const auto auc = facts_from_answers(Metric::auc, scores, std::span<const double>(running), labels, {"no", "yes"});
  ASSERT_TRUE(auc);
  EXPECT_DOUBLE_EQ(auc->candidate.metric, 0.5);
  EXPECT_DOUBLE_EQ(auc->deployed->metric, 0.75);
}

TEST(Evaluate, AsksOfTheScoresWhatTheMetricNeeds) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> scores{0, 1, 2, nan, nan, nan, 0, 5, 1};
  EXPECT_THAT(answers_of(Metric::accuracy, scores, 3, 3).value(), ElementsAre(2, -1, 1));
  EXPECT_THAT(answers_of(Metric::auc, std::vector<float>{1, 3, 2, 0}, 2, 2).value(), ElementsAre(2, -2));
  EXPECT_THAT(answers_of(Metric::auc, std::vector<float>{1, 3}, 1, 2).value(), ElementsAre(1, 3));
  EXPECT_THAT(answers_of(Metric::auc, std::vector<float>{1, nan}, 1, 2).error().context, HasSubstr("for row 1"));
  EXPECT_THAT(answers_of(Metric::accuracy, scores, 3, 4).error().context, HasSubstr("gives 3 scores"));
  EXPECT_FALSE(answers_of(Metric::accuracy, {}, 0, 0));
  // A k-means model gives 3 numbers a row, and a pipeline may name 3 labels: they are no scores of labels all the same.
  EXPECT_THAT(answers_of(Metric::silhouette, scores, 3, 3).error().context, HasSubstr("not measured by scores"));
}

TEST(Evaluate, MeasuresNothingWithoutLabels) {
  const auto facts = facts_from_answers(Metric::accuracy, std::vector<double>{0, 1}, std::nullopt,
                                        std::vector<std::int64_t>{-1, -1}, kNames);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->candidate.measured_rows, 0);
  EXPECT_EQ(facts->candidate.metric, 0);
}

TEST(Evaluate, RefusesLengthsAndLabelsThatDoNotFit) {
  const std::vector<std::int64_t> labels{0, 3};
  const std::vector<double> two{0, 1};
  const std::vector<double> three{0, 1, 2};
  const auto error = [&](const std::vector<double>& candidate, std::optional<std::span<const double>> running) {
    return facts_from_answers(Metric::accuracy, candidate, running, labels, kNames).error().context;
  };
  EXPECT_THAT(error(three, std::nullopt), HasSubstr("3 answers for 2 holdout rows"));
  EXPECT_THAT(error(two, std::span<const double>(three)), HasSubstr("deployed"));
  EXPECT_THAT(error(two, std::nullopt), HasSubstr("the label 3"));
}

TEST(Evaluate, TakesFiguresOfACommandForAllRows) {
  const std::vector<double> candidate{1, 2, 3}, running{1, 1, 1};
  const std::vector<std::int64_t> labels{0, -1, 2};
  const auto facts = facts_from_figures(candidate, std::span<const double>(running), labels, kNames);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->candidate.measured_rows, 3);
  EXPECT_DOUBLE_EQ(facts->candidate.metric, 2);
  EXPECT_DOUBLE_EQ(facts->deployed->metric, 1);
  EXPECT_THAT(facts->deployed->rows.label, ElementsAre(0, -1, 2));
  const std::vector<double> broken{1, std::numeric_limits<double>::infinity(), 0};
  EXPECT_THAT(facts_from_figures(broken, std::nullopt, {}, {}).error().context, HasSubstr("the candidate gave a figure"));
}

TEST(Evaluate, MeasuresTwoClusteringsOfTheSameRowsInOneSpace) {
  const std::vector<float> features{0, 1, 10, 11, 20, 21};
  const metrics::Matrix<float> matrix{features, 6, 1};
  const std::vector<std::int32_t> good{0, 0, 1, 1, 2, 2}, poor{0, 1, 0, 1, 0, 1}, one{0, 0, 0, 0, 0, 0};
  const auto facts = facts_from_clusters({matrix, good, std::span<const std::int32_t>(poor), {}}, 6, 1);
  ASSERT_TRUE(facts) << facts.error().context;
  EXPECT_GT(facts->candidate.metric, 0.8);
  EXPECT_LT(facts->deployed->metric, 0.1);
  EXPECT_EQ(facts->deployed->rows.size(), 6);
  EXPECT_THAT(facts->candidate.cluster_sizes, ElementsAre(2, 2, 2));
  const auto degenerate = facts_from_clusters({matrix, one, std::span<const std::int32_t>(good), {}}, 6, 1);
  ASSERT_TRUE(degenerate);
  EXPECT_EQ(degenerate->candidate.metric, 0);
  EXPECT_FALSE(facts_from_clusters({matrix, std::vector<std::int32_t>{0, 1, -1, 0, 1, 0}, std::nullopt, {}}, 6, 1));
  EXPECT_FALSE(facts_from_clusters({matrix, std::vector<std::int32_t>{0, 1}, std::nullopt, {}}, 6, 1));
}

TEST(Evaluate, MeasuresTheSameDrawnRowsOfBothClusteringsAgainstAll) {
  std::vector<float> features;
  std::vector<std::int32_t> coarse, fine;
  std::vector<std::uint8_t> twins;
  for (int row = 0; row < 900; ++row) {
    features.push_back(static_cast<float>(row % 3) * 10 + static_cast<float>(row % 7));
    fine.push_back(row % 3);
    coarse.push_back(row % 3 == 0 ? 0 : 1);
    twins.push_back(row % 2 == 0 ? 1 : 0);
  }
  const Clusterings both{{features, 900, 1}, fine, std::span<const std::int32_t>(coarse), {twins, {}}};
  const auto all = facts_from_clusters(both, 900, 1), some = facts_from_clusters(both, 200, 1),
             again = facts_from_clusters(both, 200, 1), others = facts_from_clusters(both, 200, 2);
  ASSERT_TRUE(all && some && again && others);
  EXPECT_EQ(all->candidate.measured_rows, 900);
  EXPECT_EQ(all->candidate.rows_with_twin, 450);
  EXPECT_EQ(some->candidate.rows, 900);
  EXPECT_EQ(some->candidate.measured_rows, 200);
  EXPECT_EQ(some->deployed->rows.size(), 200);
  EXPECT_THAT(some->candidate.cluster_sizes, ElementsAre(300, 300, 300)) << "of all rows, drawn or not";
  EXPECT_EQ(some->deployed->rows.candidate, again->deployed->rows.candidate);
  EXPECT_NE(some->deployed->rows.candidate, others->deployed->rows.candidate);
  EXPECT_NEAR(some->candidate.metric, all->candidate.metric, 0.05);
  EXPECT_NEAR(static_cast<double>(some->candidate.rows_with_twin), 100, 30);
}

}  // namespace
}  // namespace hone::cloud
