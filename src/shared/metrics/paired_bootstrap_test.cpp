#include "shared/metrics/paired_bootstrap.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "shared/metrics/paired_gain.hpp"

namespace hone::metrics {
namespace {

struct Figures {
  std::vector<double> first, second;
  [[nodiscard]] PairedSample sample() const {
    return {static_cast<std::int64_t>(first.size()), mean_gain(first, second), {}, {}};
  }
};

// Differences of mean `gain`; `skewed` draws them from an exponential distribution.
Figures draw(std::size_t rows, double gain, bool skewed, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  std::exponential_distribution<double> exponential;
  Figures figures;
  for (std::size_t row = 0; row < rows; ++row) {
    const double hard = normal(random);
    figures.first.push_back(hard);
    figures.second.push_back(hard + gain + (skewed ? exponential(random) - 1 : normal(random)));
  }
  return figures;
}

TEST(PairedBootstrap, AgreesWithStudentOnNormalDifferences) {
  std::mt19937_64 random(1);
  const Figures figures = draw(400, 0.3, false, random);
  double mean = 0, squares = 0;
  for (std::size_t i = 0; i < 400; ++i) mean += (figures.second[i] - figures.first[i]) / 400;
  for (std::size_t i = 0; i < 400; ++i) squares += std::pow(figures.second[i] - figures.first[i] - mean, 2);
  const double error = std::sqrt(squares / 399 / 400);
  const BootstrapGain result = bootstrap_gain(figures.sample(), 0.025, 7);
  EXPECT_NEAR(result.gain, mean, 1e-12);
  EXPECT_NEAR(result.standard_error, error, error * 0.06);
  EXPECT_NEAR(result.bounds.lower, mean - 1.98 * error, error * 0.2);
  EXPECT_NEAR(result.bounds.upper, mean + 1.98 * error, error * 0.2);
  EXPECT_NEAR(result.effective_rows, 133, 35);
}

TEST(PairedBootstrap, TheSameSeedGivesTheSameBounds) {
  std::mt19937_64 random(2);
  const Figures figures = draw(100, 0.1, true, random);
  const auto once = bootstrap_gain(figures.sample(), 0.01, 5);
  const auto again = bootstrap_gain(figures.sample(), 0.01, 5);
  EXPECT_EQ(once.bounds.lower, again.bounds.lower);
  EXPECT_EQ(once.bounds.upper, again.bounds.upper);
  EXPECT_NE(once.bounds.lower, bootstrap_gain(figures.sample(), 0.01, 6).bounds.lower);
}

TEST(PairedBootstrap, EachBoundErrsAsOftenAsItSaysOnSkewedDifferencesToo) {
  for (const bool skewed : {false, true}) {
    std::mt19937_64 random(3);
    int below = 0, above = 0;
    constexpr int kRuns = 1000;
    for (int run = 0; run < kRuns; ++run) {
      const Figures figures = draw(100, 0.2, skewed, random);
      const auto result = bootstrap_gain(figures.sample(), 0.025, static_cast<std::uint64_t>(run));
      above += result.bounds.lower > 0.2 ? 1 : 0;
      below += result.bounds.upper < 0.2 ? 1 : 0;
    }
    // 25 expected; the standard deviation is 4.9. Nor may the bounds be so wide that they hardly ever err.
    EXPECT_LE(above, 45) << skewed;
    EXPECT_LE(below, 45) << skewed;
    EXPECT_GE(above + below, 10) << skewed;
  }
}

// 60 blocks of 1 to 15 rows that share most of their difference.
TEST(PairedBootstrap, EachBoundErrsAsOftenAsItSaysOnRowsInBlocks) {
  std::mt19937_64 random(6);
  std::normal_distribution<double> normal;
  int erred = 0, erred_row_by_row = 0;
  constexpr int kRuns = 400;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<double> first, second;
    std::vector<std::uint32_t> blocks;
    for (std::uint32_t block = 0; block < 60; ++block) {
      const double shared = normal(random);
      for (std::uint64_t row = 0, rows = 1 + random() % 15; row < rows; ++row) {
        first.push_back(normal(random));
        second.push_back(first.back() + 0.2 + shared + 0.5 * normal(random));
        blocks.push_back(7 * block);
      }
    }
    PairedSample sample{static_cast<std::int64_t>(first.size()), mean_gain(first, second), {}, {}};
    const auto misses = [&](const BootstrapGain& gain) { return gain.bounds.lower > 0.2 || gain.bounds.upper < 0.2; };
    erred_row_by_row += misses(bootstrap_gain(sample, 0.025, 1)) ? 1 : 0;
    sample.blocks = blocks;
    const BootstrapGain gain = bootstrap_gain(sample, 0.025, 1);
    erred += misses(gain) ? 1 : 0;
    EXPECT_LE(gain.effective_rows, 60);
  }
  // 20 expected of 400; the standard deviation is 4.4.
  EXPECT_LE(erred, 34);
  EXPECT_GE(erred, 6);
  EXPECT_GT(erred_row_by_row, 100);
}

TEST(PairedBootstrap, ASmallerTailReachesFarther) {
  std::mt19937_64 random(4);
  const Figures figures = draw(300, 0.2, false, random);
  double last = 1;
  for (const double tail : {0.1, 0.025, 0.001, 1e-5, 1e-8}) {
    const double lower = bootstrap_gain(figures.sample(), tail, 1).bounds.lower;
    EXPECT_LT(lower, last) << tail;
    last = lower;
  }
}

TEST(PairedBootstrap, CountsTheRowsThatTellTheTwoApart) {
  Figures figures{std::vector<double>(1000, 0.5), std::vector<double>(1000, 0.5)};
  for (int i = 0; i < 5; ++i) figures.second[static_cast<std::size_t>(i) * 100] = 1;
  EXPECT_NEAR(bootstrap_gain(figures.sample(), 0.025, 1).effective_rows, 5, 0.3);
  const Figures same{std::vector<double>(50, 0.5), std::vector<double>(50, 0.5)};
  const auto nothing = bootstrap_gain(same.sample(), 0.025, 1);
  EXPECT_EQ(nothing.gain, 0);
  EXPECT_EQ(nothing.bounds.lower, 0);
  EXPECT_EQ(nothing.bounds.upper, 0);
}

TEST(PairedBootstrap, StrataKeepTheirNumbersOfRows) {
  const std::vector<std::int32_t> strata{0, 0, 0, 1, 1, 1, 1, 1, 1, 1};
  const WeightedGain gain = [](std::span<const std::uint32_t> weights) {
    EXPECT_EQ(weights.size(), 10u);
    std::uint32_t front = 0, back = 0;
    for (std::size_t i = 0; i < 3; ++i) front += weights[i];
    for (std::size_t i = 3; i < 10; ++i) back += weights[i];
    const bool left_one_out = front + back == 9;
    EXPECT_TRUE(left_one_out || (front == 3 && back == 7));
    return static_cast<double>(weights[0]);
  };
  EXPECT_GT(bootstrap_gain({10, gain, strata, {}}, 0.1, 1).standard_error, 0.3);
}

}  // namespace
}  // namespace hone::metrics
