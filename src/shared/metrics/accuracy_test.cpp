#include "shared/metrics/accuracy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace hone::metrics {
namespace {

using ::testing::ElementsAre;

TEST(Argmax, TakesTheLargestAndTheFirstOfEquals) {
  const std::vector<float> scores{0.1f, 0.7f, 0.2f, 5.f, 5.f, 1.f, -3.f, -2.f, -1.f};
  EXPECT_THAT(argmax_rows(scores, 3), ElementsAre(1, 0, 2));
}

TEST(Argmax, GivesNoLabelToARowWithNaN) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(argmax_rows(std::vector<float>{nan, 1.f, 2.f, nan, 3.f, infinity}, 2), ElementsAre(-1, -1, 1));
}

// Airway hyper-responsiveness before and after stem cell transplantation, 21 children: the example of
// Fagerland, Lydersen and Laake (2013), BMC Medical Research Methodology 13:91, whose Tango interval for
// before minus after is (-0.517, -0.026) and whose exact conditional McNemar test gives p = 0.0703.
TEST(Tango, AgreesWithThePublishedExample) {
  const PairedCounts counts{.both = 1, .only_first = 7, .only_second = 1, .neither = 12};
  const Interval interval = tango_interval(counts, 0.95);
  EXPECT_NEAR(interval.lower, -0.517, 0.0005);
  EXPECT_NEAR(interval.upper, -0.026, 0.0005);
  EXPECT_NEAR(mcnemar_exact_p(counts), 0.0703125, 1e-12);
}

TEST(Tango, IsExactWithoutDiscordantPairs) {
  const double z2 = 1.959963984540054 * 1.959963984540054;
  for (const std::int64_t n : {1, 10, 500, 1000000}) {
    const Interval interval = tango_interval({.both = n}, 0.95);
    const double expected = z2 / (static_cast<double>(n) + z2);
    EXPECT_NEAR(interval.upper, expected, 1e-12) << n;
    EXPECT_NEAR(interval.lower, -expected, 1e-12) << n;
  }
}

TEST(Tango, LimitsSolveTheScoreEquation) {
  // The statistic computed from Tango's formulas in their printed form (counts, not rates).
  const auto statistic = [](double b, double c, double n, double delta) {
    const double linear = -b - c + (2 * n - b + c) * delta;
    const double constant = -c * delta * (1 - delta);
    const double q = (std::sqrt(linear * linear - 8 * n * constant) - linear) / (4 * n);
    return (b - c - n * delta) / std::sqrt(n * (2 * q + delta * (1 - delta)));
  };
  for (const auto& [first, second, concordant] :
       {std::tuple{12, 85, 4100}, {3, 1, 40}, {0, 9, 100}, {9, 0, 100}, {40, 40, 0}}) {
    const PairedCounts counts{.both = concordant, .only_first = first, .only_second = second};
    const Interval interval = tango_interval(counts, 0.95);
    const auto n = static_cast<double>(counts.n());
    EXPECT_NEAR(statistic(second, first, n, interval.lower), 1.959963984540054, 1e-6) << first << " " << second;
    EXPECT_NEAR(statistic(second, first, n, interval.upper), -1.959963984540054, 1e-6) << first << " " << second;
  }
}

TEST(Tango, ExchangingTheTwoMirrorsTheIntervalToTheBit) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200; ++i) {
    const auto draw = [&](std::uint64_t below) { return static_cast<std::int64_t>(random() % below); };
    const PairedCounts counts{1 + draw(1000), draw(60), draw(60), draw(100)};
    const Interval there = tango_interval(counts, 0.9);
    const Interval back = tango_interval({counts.both, counts.only_second, counts.only_first, counts.neither}, 0.9);
    EXPECT_EQ(there.lower, -back.upper);
    EXPECT_EQ(there.upper, -back.lower);
    const double observed =
        static_cast<double>(counts.only_second - counts.only_first) / static_cast<double>(counts.n());
    EXPECT_LE(there.lower, observed);
    EXPECT_GE(there.upper, observed);
    EXPECT_GE(there.lower, -1);
    EXPECT_LE(there.upper, 1);
  }
}

TEST(Tango, MoreConfidenceOrFewerRowsWidenTheInterval) {
  const PairedCounts counts{.both = 900, .only_first = 10, .only_second = 40, .neither = 50};
  const PairedCounts tenth{.both = 90, .only_first = 1, .only_second = 4, .neither = 5};
  EXPECT_LT(tango_interval(counts, 0.99).lower, tango_interval(counts, 0.95).lower);
  EXPECT_GT(tango_interval(counts, 0.99).upper, tango_interval(counts, 0.95).upper);
  EXPECT_LT(tango_interval(tenth, 0.95).lower, tango_interval(counts, 0.95).lower);
}

TEST(Tango, CoversTheTruthAsOftenAsItSays) {
  std::mt19937_64 random(20261123);
  std::uniform_real_distribution<double> uniform(0, 1);
  constexpr int kRuns = 1000;
  for (const auto& [first, second] : {std::pair{0.02, 0.05}, std::pair{0.04, 0.04}, std::pair{0.1, 0.02}}) {
    int covered = 0;
    for (int run = 0; run < kRuns; ++run) {
      PairedCounts counts;
      for (int row = 0; row < 300; ++row) {
        const double u = uniform(random);
        if (u < first)
          ++counts.only_first;
        else if (u < first + second)
          ++counts.only_second;
        else
          ++counts.both;
      }
      const Interval interval = tango_interval(counts, 0.95);
      if (interval.lower <= second - first && second - first <= interval.upper) ++covered;
    }
    // 95% of 1,000 within three standard deviations, and a little for a score interval's own wobble.
    EXPECT_GE(covered, 925) << first << " " << second;
    EXPECT_LE(covered, 975) << first << " " << second;
  }
}

// The p-value and the interval are one test.
TEST(Tango, PBelowIsTheTailThatTheUpperLimitLeaves) {
  for (const auto& [first, second, concordant] : {std::tuple{12, 85, 4100}, {40, 12, 500}, {9, 0, 100}, {1, 0, 30}}) {
    const PairedCounts counts{.both = concordant, .only_first = first, .only_second = second};
    const Interval interval = tango_interval(counts, 0.95);
    EXPECT_NEAR(tango_p_below(interval.upper, counts), 0.025, 1e-6) << first << " " << second;
    EXPECT_NEAR(tango_p_below(interval.lower, counts), 0.975, 1e-6) << first << " " << second;
  }
  EXPECT_EQ(tango_p_below(0, {.both = 10}), 1);
}

TEST(RowsToProve, ReachesThePowerItIsAskedFor) {
  // Pilot holdouts say how many rows; holdouts of that size prove the gain in nine of ten cases, and not many more.
  std::mt19937_64 random(42);
  std::uniform_real_distribution<double> uniform(0, 1);
  const auto draw = [&](std::int64_t rows, double first, double second) {
    PairedCounts counts;
    for (std::int64_t row = 0; row < rows; ++row) {
      const double u = uniform(random);
      ++(u < first ? counts.only_first : u < first + second ? counts.only_second : counts.both);
    }
    return counts;
  };
  const double margin = 0.02, gain = 0.04;
  int proven = 0;
  for (int run = 0; run < 400; ++run) {
    const auto rows = rows_to_prove(margin, gain, draw(300, 0.02, 0.06), 0.95, 0.9);
    ASSERT_TRUE(rows);
    proven += tango_interval(draw(*rows, 0.02, 0.06), 0.95).lower > margin ? 1 : 0;
  }
  EXPECT_GE(proven, 350);
  EXPECT_LE(proven, 392);
}

TEST(RowsToProve, IsNoneWhenThereIsNothingToProve) {
  const PairedCounts counts{.both = 1000, .only_first = 5, .only_second = 8};
  EXPECT_FALSE(rows_to_prove(0.003, 0.003, counts, 0.95, 0.9));
  EXPECT_FALSE(rows_to_prove(0, 0.1, {}, 0.95, 0.9));
  EXPECT_TRUE(rows_to_prove(0, 0.001, {.both = 1000}, 0.95, 0.9));
  EXPECT_GT(*rows_to_prove(0.003, 0.004, counts, 0.95, 0.9), *rows_to_prove(0.003, 0.006, counts, 0.95, 0.9));
}

TEST(McNemar, IsTheBinomialOnDiscordantPairs) {
  EXPECT_EQ(mcnemar_exact_p({.both = 10}), 1);
  EXPECT_EQ(mcnemar_exact_p({.only_first = 5, .only_second = 5}), 1);
  EXPECT_NEAR(mcnemar_exact_p({.only_second = 1}), 1.0, 1e-12);
  EXPECT_NEAR(mcnemar_exact_p({.only_second = 10}), 2.0 / 1024, 1e-15);
  EXPECT_NEAR(mcnemar_exact_p({.only_first = 2, .only_second = 8}), 2.0 * (1 + 10 + 45) / 1024, 1e-12);
  EXPECT_EQ(mcnemar_exact_p({.only_first = 2, .only_second = 8}), mcnemar_exact_p({.only_first = 8, .only_second = 2}));
}

TEST(McNemar, StaysFiniteAndRightForThousandsOfPairs) {
  EXPECT_EQ(mcnemar_exact_p({.only_first = 50000, .only_second = 50000}), 1);
  // 4,900 against 5,100: two standard deviations, the normal approximation with continuity correction.
  const double z = (5099.5 - 5000) / 50;
  EXPECT_NEAR(mcnemar_exact_p({.only_first = 4900, .only_second = 5100}), std::erfc(z / std::sqrt(2.0)), 1e-4);
  const double tiny = mcnemar_exact_p({.only_first = 1, .only_second = 2000});
  EXPECT_GE(tiny, 0);
  EXPECT_LT(tiny, 1e-300);
}

}  // namespace
}  // namespace hone::metrics
