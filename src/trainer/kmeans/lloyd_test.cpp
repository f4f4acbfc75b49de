#include "trainer/kmeans/lloyd.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <utility>

#include "base/json.hpp"
#include "shared/metrics/silhouette.hpp"
#include "shared/metrics/testing_matrix.hpp"
#include "trainer/kmeans/cpu_rows.hpp"

namespace hone::trainer {
namespace {

using ::testing::HasSubstr;

bool go_on() { return false; }

KMeansRules plain() {
  KMeansRules rules;
  rules.trim = 0;
  rules.min_cluster = 0;
  return rules;
}

struct Points {
  std::vector<float> values;
  std::int64_t features = 0;
  [[nodiscard]] std::size_t rows() const { return values.size() / static_cast<std::size_t>(features); }
  [[nodiscard]] std::unique_ptr<ClusterRows> cluster_rows(int threads = 2) const {
    return make_cpu_rows(values, features, threads);
  }
};

struct Nearest {
  std::vector<std::int32_t> labels;
  double inertia = 0;
};

// In double, from differences.
Nearest nearest_of(const Points& points, const Clustering& clustering) {
  Nearest result;
  const auto width = static_cast<std::size_t>(points.features);
  for (std::size_t row = 0; row < points.rows(); ++row) {
    double least = std::numeric_limits<double>::infinity();
    std::int32_t label = 0;
    for (std::size_t c = 0; c < static_cast<std::size_t>(clustering.clusters); ++c) {
      double square = 0;
      for (std::size_t p = 0; p < width; ++p) {
        const double away = static_cast<double>(points.values[row * width + p]) - static_cast<double>(clustering.centroids[c * width + p]);
        square += away * away;
      }
      if (square < least) {
        least = square;
        label = static_cast<std::int32_t>(c);
      }
    }
    result.labels.push_back(label);
    result.inertia += least;
  }
  return result;
}

// `count` groups of `each` points, far apart; then `noise` points anywhere.
Points groups(std::size_t count, std::size_t each, std::size_t noise, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<float> anywhere(-40, 40);
  Points points{{}, 3};
  for (std::size_t group = 0; group < count; ++group) {
    const float centre[3] = {anywhere(random), anywhere(random), 20 * static_cast<float>(group)};
    for (std::size_t i = 0; i < each; ++i)
      for (const float place : centre) points.values.push_back(place + normal(random));
  }
  for (std::size_t i = 0; i < 3 * noise; ++i) points.values.push_back(10 * anywhere(random));
  return points;
}

TEST(Lloyd, FindsEveryGroupHoweverManyThereAre) {
  for (const std::size_t count : {1u, 2u, 7u, 30u}) {
    const Points points = groups(count, 100, 0, count);
    const auto found = trimmed_kmeans(*points.cluster_rows(), static_cast<std::int64_t>(count), plain(), 1, go_on);
    ASSERT_TRUE(found) << found.error().context;
    const Nearest nearest = nearest_of(points, *found);
    for (std::size_t row = 0; row < points.rows(); ++row)
      ASSERT_EQ(nearest.labels[row], nearest.labels[row / 100 * 100]) << count << " groups, row " << row;
    EXPECT_NEAR(found->inertia / nearest.inertia, 1, 1e-3);
    EXPECT_NEAR(found->smallest_share, 1.0 / static_cast<double>(count), 1e-12);
  }
}

TEST(Lloyd, NoiseBeyondTheTrimPullsNoCentroid) {
  const Points points = groups(3, 100, 25, 5);
  KMeansRules rules;  // as it is by default: trims a tenth, wants 5% in a cluster
  const auto found = trimmed_kmeans(*points.cluster_rows(), 3, rules, 1, go_on);
  ASSERT_TRUE(found) << found.error().context;
  // The means of 100 points of deviation 1 stand within 0.5 of their middle. Which centroid is nearest tells them apart.
  Points clean = points;
  clean.values.resize(900);
  const Nearest nearest = nearest_of(clean, *found);
  EXPECT_LT(nearest.inertia / 300, 3 * 1.3);
}

TEST(Lloyd, GivesTheSameBitsForTheSameSeedWhateverTheThreads) {
  const Points points = groups(9, 500, 300, 3);
  const auto one = trimmed_kmeans(*points.cluster_rows(1), 6, KMeansRules{}, 4, go_on);
  const auto four = trimmed_kmeans(*points.cluster_rows(4), 6, KMeansRules{}, 4, go_on);
  ASSERT_TRUE(one && four);
  EXPECT_EQ(one->centroids, four->centroids);
  EXPECT_EQ(one->inertia, four->inertia);
}

TEST(Lloyd, SaysWhenClustersWouldBeTooSmall) {
  const Points points = groups(2, 100, 0, 1);
  KMeansRules rules;
  rules.min_cluster = 0.6;
  const auto found = trimmed_kmeans(*points.cluster_rows(), 2, rules, 1, go_on);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::not_found);
  EXPECT_THAT(found.error().context, HasSubstr("60% of the rows"));
}

TEST(Lloyd, CopesWithRowsThatAreAllTheSame) {
  const Points points{std::vector<float>(300, 7.5F), 3};
  const auto found = trimmed_kmeans(*points.cluster_rows(), 4, plain(), 1, go_on);
  ASSERT_TRUE(found) << found.error().context;
  EXPECT_EQ(found->inertia, 0);
  EXPECT_EQ(found->centroids, std::vector<float>(12, 7.5F));
}

TEST(Lloyd, StopsWhenItIsToldAtAnyIteration) {
  const Points points = groups(4, 50, 10, 2);
  int all = 0;
  ASSERT_TRUE(trimmed_kmeans(*points.cluster_rows(), 3, plain(), 1, [&] { return ++all < 0; }));
  for (int stop_at = 1; stop_at <= all; ++stop_at) {
    int calls = 0;
    const auto found = trimmed_kmeans(*points.cluster_rows(), 3, plain(), 1, [&] { return ++calls == stop_at; });
    ASSERT_FALSE(found) << stop_at;
    EXPECT_EQ(found.error().code, Code::cancelled);
    EXPECT_EQ(calls, stop_at);
  }
}

// scikit-learn's best of 50 restarts, on four matrices and k from 2 to 10.
TEST(Lloyd, IsAsGoodAsTheOracleAndChoosesItsNumberOfClusters) {
  const std::filesystem::path folder = HONE_SHARED_DATA "/oracle";
  std::ifstream file(folder / "silhouette_oracle.json");
  if (!file) GTEST_SKIP() << "the oracle is not here: " << folder;
  const Json oracle = Json::parse(file);
  int compared = 0;
  for (const auto& [name, set] : oracle.at("datasets").items()) {
    auto matrix = metrics::testing::read_matrix<float>(folder.parent_path() / set.at("matrix_csv").get<std::string>());
    const Points points{std::move(matrix.values), matrix.width};
    ASSERT_EQ(points.features, set.at("cols")) << name;
    const auto rows = points.cluster_rows();
    double best = -1;
    std::int64_t best_k = 0;
    for (std::int64_t k = 2; k <= 10; ++k) {
      const auto found = trimmed_kmeans(*rows, k, plain(), 1, go_on);
      ASSERT_TRUE(found) << found.error().context;
      const Nearest nearest = nearest_of(points, *found);
      EXPECT_LE(nearest.inertia, 1.01 * set.at("k").at(std::to_string(k)).at("inertia").get<double>()) << name << " k=" << k;
      const auto silhouette = metrics::silhouette(
          metrics::Matrix<float>{points.values, static_cast<std::int64_t>(points.rows()), points.features}, nearest.labels);
      ASSERT_TRUE(silhouette) << silhouette.error().context;
      if (silhouette->mean > best) best_k = k;
      best = std::max(best, silhouette->mean);
      ++compared;
    }
    EXPECT_EQ(best_k, set.at("best_k")) << name;
  }
  EXPECT_EQ(compared, 36);
}

}  // namespace
}  // namespace hone::trainer
