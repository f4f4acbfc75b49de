#include "shared/metrics/silhouette.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <utility>

#include "base/json.hpp"
#include "shared/metrics/draw.hpp"
#include "shared/metrics/testing_matrix.hpp"

namespace hone::metrics {
namespace {

using ::testing::HasSubstr;

template <class T>
struct Points {
  std::vector<T> values;
  std::vector<std::int32_t> labels;
  std::int64_t width = 0;
  [[nodiscard]] Matrix<T> matrix() const { return {values, static_cast<std::int64_t>(labels.size()), width}; }
};

// Rousseeuw's definition word by word, in long double.
template <class T>
std::vector<double> by_definition(const Points<T>& points) {
  const std::size_t n = points.labels.size();
  const auto width = static_cast<std::size_t>(points.width);
  const auto clusters = static_cast<std::size_t>(*std::max_element(points.labels.begin(), points.labels.end())) + 1;
  std::vector<std::size_t> sizes(clusters);
  for (const auto label : points.labels) ++sizes[static_cast<std::size_t>(label)];
  std::vector<double> result;
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<long double> sums(clusters);
    for (std::size_t j = 0; j < n; ++j) {
      long double squared = 0;
      for (std::size_t p = 0; p < width; ++p) {
        const long double difference =
            static_cast<long double>(points.values[i * width + p]) - points.values[j * width + p];
        squared += difference * difference;
      }
      sums[static_cast<std::size_t>(points.labels[j])] += std::sqrt(squared);
    }
    const auto own = static_cast<std::size_t>(points.labels[i]);
    if (sizes[own] == 1) {
      result.push_back(0);
      continue;
    }
    const long double a = sums[own] / static_cast<long double>(sizes[own] - 1);
    long double b = std::numeric_limits<long double>::infinity();
    for (std::size_t c = 0; c < clusters; ++c)
      if (c != own && sizes[c] > 0) b = std::min(b, sums[c] / static_cast<long double>(sizes[c]));
    result.push_back(std::max(a, b) > 0 ? static_cast<double>((b - a) / std::max(a, b)) : 0.0);
  }
  return result;
}

// Clusters of different sizes at `centres` times `spread`, moved away from the origin by `offset`.
template <class T>
Points<T> draw(std::size_t n, std::int64_t width, int clusters, std::uint64_t seed, double spread = 3,
               double offset = 0) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> centres(static_cast<std::size_t>(clusters) * static_cast<std::size_t>(width));
  for (double& value : centres) value = normal(random) * spread;
  Points<T> points;
  points.width = width;
  for (std::size_t i = 0; i < n; ++i) {
    const auto cluster = static_cast<std::int32_t>(
        std::min(random() % static_cast<unsigned>(clusters), random() % static_cast<unsigned>(clusters)));
    points.labels.push_back(cluster);
    for (std::int64_t p = 0; p < width; ++p)
      points.values.push_back(
          static_cast<T>(offset + centres[static_cast<std::size_t>(cluster * width + p)] + normal(random)));
  }
  return points;
}

template <class T>
void expect_as_defined(const Points<T>& points, double tolerance) {
  const auto result = silhouette(points.matrix(), points.labels);
  ASSERT_TRUE(result) << result.error().context;
  const auto expected = by_definition(points);
  ASSERT_EQ(result->rows.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(result->rows[i], expected[i], tolerance) << "row " << i;
  EXPECT_NEAR(result->mean,
              std::accumulate(expected.begin(), expected.end(), 0.0) / static_cast<double>(expected.size()), tolerance);
}

TEST(Silhouette, EqualsTheOracleOverallAndPerCluster) {
  const std::filesystem::path folder = HONE_SHARED_DATA "/oracle";
  std::ifstream file(folder / "silhouette_oracle.json");
  if (!file) GTEST_SKIP() << "the oracle is not here: " << folder;
  const Json oracle = Json::parse(file);
  int compared = 0;
  for (const auto& [name, set] : oracle.at("datasets").items()) {
    auto matrix = testing::read_matrix<double>(folder.parent_path() / set.at("matrix_csv").get<std::string>());
    Points<double> points{std::move(matrix.values), {}, matrix.width};
    ASSERT_EQ(points.width, set.at("cols")) << name;
    for (const auto& [k, expected] : set.at("k").items()) {
      points.labels = expected.at("labels").get<std::vector<std::int32_t>>();
      const std::vector<float> floats(points.values.begin(), points.values.end());
      const auto in_double = silhouette(points.matrix(), points.labels);
      const auto in_float =
          silhouette(Matrix<float>{floats, set.at("rows").get<std::int64_t>(), points.width}, points.labels);
      ASSERT_TRUE(in_double) << in_double.error().context;
      ASSERT_TRUE(in_float) << in_float.error().context;
      EXPECT_NEAR(in_double->mean, expected.at("silhouette"), 1e-9) << name << " k=" << k;
      EXPECT_NEAR(in_float->mean, expected.at("silhouette"), 1e-4) << name << " k=" << k;
      EXPECT_EQ(in_double->sizes, expected.at("cluster_sizes").get<std::vector<std::int64_t>>());
      EXPECT_NEAR(*std::min_element(in_double->rows.begin(), in_double->rows.end()), expected.at("silhouette_min"),
                  1e-9);
      const auto clusters = expected.at("silhouette_per_cluster").get<std::vector<double>>();
      ASSERT_EQ(in_double->clusters.size(), clusters.size());
      for (std::size_t c = 0; c < clusters.size(); ++c) {
        EXPECT_NEAR(in_double->clusters[c], clusters[c], 1e-9) << name << " k=" << k << " cluster " << c;
        EXPECT_NEAR(in_float->clusters[c], clusters[c], 1e-4) << name << " k=" << k << " cluster " << c;
      }
      ++compared;
    }
  }
  EXPECT_EQ(compared, 36);
}

TEST(Silhouette, FollowsTheDefinitionAtEverySizeOfBlocksAndPanels) {
  for (const std::size_t n : {3u, 17u, 63u, 64u, 65u, 200u, 531u})
    for (const std::int64_t width : {1, 2, 7, 40}) {
      SCOPED_TRACE(std::to_string(n) + " rows of " + std::to_string(width));
      auto in_double = draw<double>(n, width, 4, n + static_cast<std::size_t>(width));
      in_double.labels[0] = 0;
      in_double.labels[1] = 0;
      in_double.labels[2] = 3;
      expect_as_defined(in_double, 1e-10);
      Points<float> in_float{{in_double.values.begin(), in_double.values.end()}, in_double.labels, width};
      expect_as_defined(in_float, 1e-5);
    }
}

TEST(Silhouette, KeepsItsDigitsFarFromTheOriginAndInTightClusters) {
  expect_as_defined(draw<double>(300, 8, 3, 1, 3, 1e7), 1e-8);
  expect_as_defined(draw<float>(300, 8, 3, 2, 3, 1000), 1e-4);
  expect_as_defined(draw<double>(300, 8, 3, 3, 1e7), 1e-9);  // rows 1e-7 apart, measured in the spread
  expect_as_defined(draw<float>(300, 8, 3, 4, 1e4), 1e-4);
  Points<double> far = draw<double>(300, 8, 3, 5);  // one row a million times farther away than the others
  far.values[16] = 1e7;
  expect_as_defined(far, 1e-9);
}

TEST(Silhouette, TakesNumbersWhoseSquaresOverflowOrVanish) {
  const auto points = draw<double>(200, 5, 3, 6);
  const auto expected = silhouette(points.matrix(), points.labels);
  for (const double factor : {0x1p600, 0x1p-600}) {
    Points<double> scaled = points;
    for (double& value : scaled.values) value *= factor;
    const auto result = silhouette(scaled.matrix(), scaled.labels);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->rows, expected->rows) << factor;
  }
  Points<float> large{{}, points.labels, points.width};
  for (const double value : points.values) large.values.push_back(static_cast<float>(value * 1e37));
  EXPECT_NEAR(silhouette(large.matrix(), large.labels)->mean, expected->mean, 1e-5);
}

TEST(Silhouette, EqualRowsAreExactlyNothingApart) {
  Points<double> points{{}, {}, 3};
  for (int i = 0; i < 150; ++i) {
    const int cluster = i % 2;
    for (const double value : {0.1, 0.7, 123.456}) points.values.push_back(value * (1 + cluster));
    points.labels.push_back(cluster);
  }
  const auto apart = silhouette(points.matrix(), points.labels);
  ASSERT_TRUE(apart);
  for (const double value : apart->rows) EXPECT_EQ(value, 1.0);
  points.values.assign(points.values.size(), 0.3);
  const auto together = silhouette(points.matrix(), points.labels);
  ASSERT_TRUE(together);
  for (const double value : together->rows) EXPECT_EQ(value, 0.0);
}

TEST(Silhouette, ARowAloneInItsClusterScoresNothing) {
  const Points<double> points{{0, 1, 10, 11, 50}, {0, 0, 2, 2, 4}, 1};
  const auto result = silhouette(points.matrix(), points.labels);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->rows[4], 0);
  EXPECT_EQ(result->clusters[4], 0);
  EXPECT_THAT(result->sizes, ::testing::ElementsAre(2, 0, 2, 0, 1));
  EXPECT_NEAR(result->rows[0], 1 - 1 / 10.5, 1e-12);
}

TEST(Silhouette, ThreadsDoNotChangeABit) {
  const auto points = draw<double>(2000, 6, 5, 8);
  const auto one = silhouette(points.matrix(), points.labels, 1);
  ASSERT_TRUE(one);
  for (const int threads : {2, 3, 7}) {
    const auto several = silhouette(points.matrix(), points.labels, threads);
    EXPECT_EQ(several->rows, one->rows) << threads;
    EXPECT_EQ(several->mean, one->mean) << threads;
  }
}

TEST(Silhouette, ManyClustersTakeTheWayWithoutATableOfSums) {
  // 1,000 rows and 40,000 possible clusters would be 40 million sums.
  auto points = draw<double>(1000, 2, 3, 9);
  for (std::size_t i = 0; i < 300; ++i) points.labels[i] = 39'999 - static_cast<std::int32_t>(i / 2);
  expect_as_defined(points, 1e-9);
}

TEST(Silhouette, TakesSumsFromAnotherDevice) {
  const auto points = draw<double>(120, 4, 3, 10);
  std::vector<double> sums(3 * 120);
  for (std::size_t i = 0; i < 120; ++i)
    for (std::size_t j = 0; j < 120; ++j) {
      double squared = 0;
      for (std::size_t p = 0; p < 4; ++p) squared += std::pow(points.values[i * 4 + p] - points.values[j * 4 + p], 2);
      sums[static_cast<std::size_t>(points.labels[j]) * 120 + i] += std::sqrt(squared);
    }
  const auto here = silhouette(points.matrix(), points.labels);
  const auto there = silhouette_from_sums(sums, points.labels);
  ASSERT_TRUE(here && there);
  for (std::size_t i = 0; i < 120; ++i) EXPECT_NEAR(here->rows[i], there->rows[i], 1e-12);
  EXPECT_FALSE(silhouette_from_sums(std::span(sums).first(120), points.labels));
}

TEST(Silhouette, RefusesWhatHasNone) {
  const std::vector<double> values{1, 2, 3, 4};
  const Matrix<double> four{values, 4, 1};
  const auto error = [](const auto& result) { return result ? std::string("no error") : result.error().context; };
  EXPECT_THAT(error(silhouette(four, std::vector<std::int32_t>{3, 3, 3, 3})), HasSubstr("at least 2 clusters"));
  EXPECT_THAT(error(silhouette(four, std::vector<std::int32_t>{0, 1, 2, 3})), HasSubstr("a cluster of its own"));
  EXPECT_THAT(error(silhouette(four, std::vector<std::int32_t>{0, 1, -1, 0})), HasSubstr("row 2 has the cluster -1"));
  EXPECT_THAT(error(silhouette(four, std::vector<std::int32_t>{0, 1})), HasSubstr("2 cluster labels for 4 rows"));
  EXPECT_THAT(error(silhouette(Matrix<double>{values, 2, 3}, std::vector<std::int32_t>{0, 1})), HasSubstr("4 values"));
  EXPECT_THAT(error(silhouette(Matrix<double>{}, {})), HasSubstr("not 0 rows of 0"));
  const std::vector<double> broken{1, 2, std::numeric_limits<double>::quiet_NaN(), 4};
  EXPECT_THAT(error(silhouette(Matrix<double>{broken, 4, 1}, std::vector<std::int32_t>{0, 1, 0, 1})),
              HasSubstr("row 2 holds a value that is no finite number"));
}

TEST(SilhouettePseudoValues, HaveTheMeanOfTheChosenRowsAmongAll) {
  const auto points = draw<float>(700, 5, 4, 21);
  const auto all = silhouette(points.matrix(), points.labels);
  const auto which = draw_rows(700, 90, 3);
  ASSERT_EQ(which.size(), 90u);
  const auto some = silhouette_pseudo_values(points.matrix(), points.labels, which);
  ASSERT_TRUE(all && some);
  double rows = 0, pseudo = 0;
  for (std::size_t i = 0; i < which.size(); ++i) {
    rows += all->rows[static_cast<std::size_t>(which[i])];
    pseudo += (*some)[i];
  }
  EXPECT_NEAR(pseudo, rows, 1e-4);
  EXPECT_FALSE(silhouette_pseudo_values(points.matrix(), points.labels, std::vector<std::int64_t>{5, 5}));
  EXPECT_FALSE(silhouette_pseudo_values(points.matrix(), points.labels, std::vector<std::int64_t>{700}));
}

// Quenouille's jackknife leaves each row out and measures the others anew: n times the work, and the same up to 1/n.
TEST(SilhouettePseudoValues, AreThoseOfTheJackknife) {
  const auto points = draw<float>(240, 3, 3, 5);
  std::vector<std::int64_t> which(240);
  std::iota(which.begin(), which.end(), 0);
  const auto pseudo = silhouette_pseudo_values(points.matrix(), points.labels, which);
  const auto all = silhouette(points.matrix(), points.labels);
  ASSERT_TRUE(pseudo && all);
  double off = 0, squares = 0, squares_of_rows = 0;
  for (std::size_t j = 0; j < 240; ++j) {
    auto others = points;
    others.values.erase(others.values.begin() + static_cast<std::ptrdiff_t>(3 * j), others.values.begin() + static_cast<std::ptrdiff_t>(3 * j + 3));
    others.labels.erase(others.labels.begin() + static_cast<std::ptrdiff_t>(j));
    const auto without = silhouette(others.matrix(), others.labels);
    ASSERT_TRUE(without);
    const double jackknife = 240 * all->mean - 239 * without->mean;
    off += ((*pseudo)[j] - jackknife) * ((*pseudo)[j] - jackknife);
    squares += (jackknife - all->mean) * (jackknife - all->mean);
    squares_of_rows += (all->rows[j] - all->mean) * (all->rows[j] - all->mean);
  }
  EXPECT_LT(off, 0.01 * squares) << "the deviation is a tenth of the spread at most";
  EXPECT_GT(squares, 1.3 * squares_of_rows) << "the rows' own Silhouettes vary too little";
}

TEST(DrawRows, DrawsEachRowAsOftenAsAnyOther) {
  std::vector<int> drawn(10);
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const auto rows = draw_rows(10, 4, seed);
    ASSERT_EQ(rows.size(), 4u);
    ASSERT_TRUE(std::is_sorted(rows.begin(), rows.end()));
    ASSERT_EQ(std::adjacent_find(rows.begin(), rows.end()), rows.end());
    for (const std::int64_t row : rows) ++drawn[static_cast<std::size_t>(row)];
  }
  for (const int times : drawn) EXPECT_NEAR(times, 800, 110);  // five standard deviations
  EXPECT_EQ(draw_rows(3, 7, 1), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_TRUE(draw_rows(0, 7, 1).empty());
}

TEST(SilhouetteEstimate, IsExactUpToTheSizeThatTheCallerSets) {
  const auto points = draw<double>(400, 3, 3, 11);
  const auto all = silhouette(points.matrix(), points.labels);
  const auto estimate = estimate_silhouette(points.matrix(), points.labels, {.exact_rows_max = 400, .sample_rows = 50});
  ASSERT_TRUE(all && estimate);
  EXPECT_EQ(estimate->mean, all->mean);
  EXPECT_EQ(estimate->bounds.lower, all->mean);
  EXPECT_EQ(estimate->rows_measured, 400);
}

TEST(SilhouetteEstimate, CoversTheExactValueAsOftenAsItSays) {
  const auto points = draw<float>(1500, 4, 4, 12, 1.5);
  const auto all = silhouette(points.matrix(), points.labels);
  ASSERT_TRUE(all);
  int covered = 0;
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto estimate =
        estimate_silhouette(points.matrix(), points.labels, {.exact_rows_max = 1000, .sample_rows = 150, .seed = seed});
    ASSERT_TRUE(estimate);
    EXPECT_LT(estimate->rows_measured, 280);
    covered += estimate->bounds.lower <= all->mean && all->mean <= estimate->bounds.upper ? 1 : 0;
    sum += estimate->mean;
  }
  EXPECT_GE(covered, 180);  // 190 expected; the standard deviation is 3
  EXPECT_LE(covered, 199);
  EXPECT_NEAR(sum / 200, all->mean, 0.005);
}

}  // namespace
}  // namespace hone::metrics
