#include "shared/metrics/paired_gain.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace hone::metrics {
namespace {

TEST(F1, IsThePositiveLabelsForTwoAndTheMeanForMore) {
  const std::vector<std::int32_t> labels{1, 1, 1, 0, 0, 0};
  // 2 right, 1 missed, 1 false alarm.
  EXPECT_DOUBLE_EQ(f1(labels, std::vector<double>{1, 1, 0, 1, 0, 0}, 2), 4.0 / 6);
  EXPECT_DOUBLE_EQ(f1(labels, std::vector<double>{0, 0, 0, 0, 0, 0}, 2), 0);
  EXPECT_DOUBLE_EQ(f1(labels, std::vector<double>{1, 1, -1, 0, 0, 0}, 2), 4.0 / 5);
  // scikit-learn: f1_score([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1], average="macro") = 0.26666666666666666
  EXPECT_NEAR(f1(std::vector<std::int32_t>{0, 1, 2, 0, 1, 2}, std::vector<double>{0, 2, 1, 0, 0, 1}, 3), 0.8 / 3,
              1e-15);
}

TEST(Auc, CountsPairsAndHalvesTies) {
  const std::vector<std::int32_t> labels{0, 0, 1, 1};
  // scikit-learn's example: roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) = 0.75
  EXPECT_DOUBLE_EQ(auc(labels, std::vector<double>{0.1, 0.4, 0.35, 0.8}), 0.75);
  EXPECT_DOUBLE_EQ(auc(labels, std::vector<double>{1, 1, 1, 1}), 0.5);
  EXPECT_DOUBLE_EQ(auc(labels, std::vector<double>{3, 2, 1, 0}), 0);
  EXPECT_DOUBLE_EQ(auc(std::vector<std::int32_t>{1, 1}, std::vector<double>{3, 2}), 0.5);
}

// A row with the weight w is that row w times.
TEST(Gains, WeightsAreRepeatedRows) {
  std::mt19937_64 random(9);
  std::vector<std::int32_t> labels, repeated_labels;
  std::vector<double> said[2], repeated[2];
  std::vector<std::uint32_t> weights;
  for (int row = 0; row < 60; ++row) {
    labels.push_back(static_cast<std::int32_t>(random() % 2));
    weights.push_back(static_cast<std::uint32_t>(random() % 4));
    for (auto& model : said) model.push_back(static_cast<double>(random() % 5 == 0 ? random() % 2 : labels.back()));
    for (std::uint32_t copy = 0; copy < weights.back(); ++copy) {
      repeated_labels.push_back(labels.back());
      for (int model = 0; model < 2; ++model) repeated[model].push_back(said[model].back());
    }
  }
  EXPECT_NEAR(f1_gain(labels, said[0], said[1], 2)(weights),
              f1(repeated_labels, repeated[1], 2) - f1(repeated_labels, repeated[0], 2), 1e-12);
  EXPECT_NEAR(auc_gain(labels, said[0], said[1])(weights),
              auc(repeated_labels, repeated[1]) - auc(repeated_labels, repeated[0]), 1e-12);
  double mean = 0;
  for (std::size_t i = 0; i < repeated[0].size(); ++i)
    mean += (repeated[1][i] - repeated[0][i]) / static_cast<double>(repeated[0].size());
  EXPECT_NEAR(mean_gain(said[0], said[1])(weights), mean, 1e-12);
}

}  // namespace
}  // namespace hone::metrics
