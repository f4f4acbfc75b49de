// What every ClusterRows must find, computed word by word in double.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "trainer/kmeans/cluster_rows.hpp"

namespace hone::trainer::testing {

inline std::vector<float> random_values(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(100, 3);  // far from zero: squares must not lose their digits
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

struct Expected {
  Pass pass;
  std::vector<std::vector<double>> weights;  // [r][rows]
};

inline double square_distance(const float* a, const float* b, std::size_t width) {
  double sum = 0;
  for (std::size_t p = 0; p < width; ++p) {
    const double away = static_cast<double>(a[p]) - static_cast<double>(b[p]);
    sum += away * away;
  }
  return sum;
}

inline Expected by_definition(const std::vector<float>& values, std::size_t width, const std::vector<float>& centroids,
                              std::size_t r, double trim) {
  const std::size_t rows = values.size() / width, k = centroids.size() / width / r;
  Expected result{{std::vector<double>(r * k * width), std::vector<double>(r * k), std::vector<double>(r * k), std::vector<double>(r)}, {}};
  for (std::size_t j = 0; j < r; ++j) {
    std::vector<double> distances;
    std::vector<std::size_t> nearest;
    for (std::size_t row = 0; row < rows; ++row) {
      std::vector<double> to;
      for (std::size_t c = 0; c < k; ++c)
        to.push_back(square_distance(&values[row * width], &centroids[(j * k + c) * width], width));
      nearest.push_back(static_cast<std::size_t>(std::min_element(to.begin(), to.end()) - to.begin()));
      distances.push_back(to[nearest.back()]);
    }
    std::vector<double> sorted = distances;
    std::sort(sorted.begin(), sorted.end());
    const double limit = sorted[static_cast<std::size_t>(std::llround((1 - trim) * static_cast<double>(rows))) - 1];
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t c = j * k + nearest[row];
      result.pass.members[c] += 1;
      if (distances[row] > limit) {
        distances[row] = 0;
        continue;
      }
      result.pass.pulling[c] += 1;
      result.pass.inertia[j] += distances[row];
      for (std::size_t p = 0; p < width; ++p) result.pass.sums[c * width + p] += static_cast<double>(values[row * width + p]);
    }
    result.weights.push_back(distances);
  }
  return result;
}

inline void expect_equal(const Pass& pass, const Pass& expected) {
  EXPECT_EQ(pass.members, expected.members);
  EXPECT_EQ(pass.pulling, expected.pulling);
  ASSERT_EQ(pass.sums.size(), expected.sums.size());
  for (std::size_t i = 0; i < expected.sums.size(); ++i)
    ASSERT_NEAR(pass.sums[i], expected.sums[i], 1e-5 * std::abs(expected.sums[i])) << i;
  for (std::size_t j = 0; j < expected.inertia.size(); ++j)
    EXPECT_NEAR(pass.inertia[j], expected.inertia[j], 1e-5 * expected.inertia[j]);
}

// The row that each fraction of all weight falls into, and how much weight the best of some candidates leaves.
inline void expect_draws(const ClusterRows& rows, const std::vector<std::vector<double>>& weights) {
  const std::vector<double> parts{0.0, 0.1, 0.37, 0.8, 0.999};
  std::vector<double> fractions;
  for (std::size_t j = 0; j < weights.size(); ++j) fractions.insert(fractions.end(), parts.begin(), parts.end());
  const std::vector<std::int64_t> drawn = rows.draw(fractions);
  ASSERT_EQ(drawn.size(), fractions.size());
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const auto& weight = weights[i / parts.size()];
    double all = 0, before = 0;
    for (const double w : weight) all += w;
    for (std::int64_t row = 0; row < drawn[i]; ++row) before += weight[static_cast<std::size_t>(row)];
    const double point = fractions[i] * all, own = weight[static_cast<std::size_t>(drawn[i])];
    EXPECT_LE(before, point + 1e-4 * all) << "fraction " << fractions[i];
    EXPECT_GE(before + own, point - 1e-4 * all) << "fraction " << fractions[i];
  }
}

// Both passes, trimmed and not, seeds and draws.
inline void expect_passes_as_defined(ClusterRows& rows, const std::vector<float>& values, std::size_t width, std::size_t r,
                                     std::size_t k) {
  const auto restarts = static_cast<std::int64_t>(r);
  for (const double trim : {0.0, 0.1, 0.3}) {
    const auto centroids = random_values(r * k * width, 77 + static_cast<std::uint64_t>(10 * trim));
    const Expected expected = by_definition(values, width, centroids, r, trim);
    expect_equal(rows.pass(centroids, restarts, trim), expected.pass);
    expect_draws(rows, expected.weights);
  }
  rows.begin_seeds(restarts);
  expect_draws(rows, std::vector<std::vector<double>>(r, std::vector<double>(values.size() / width, 1)));
  const auto first = random_values(r * width, 5), second = random_values(r * width, 6);
  rows.take_seeds(first);
  expect_draws(rows, by_definition(values, width, first, r, 0).weights);
  std::vector<float> both;
  for (std::size_t j = 0; j < r; ++j)
    for (const auto* seeds : {&first, &second}) {
      both.insert(both.end(), seeds->begin() + static_cast<std::ptrdiff_t>(j * width), seeds->begin() + static_cast<std::ptrdiff_t>((j + 1) * width));
    }
  const Expected after = by_definition(values, width, both, r, 0);
  const std::vector<double> remaining = rows.try_seeds(second);
  ASSERT_EQ(remaining.size(), r);
  for (std::size_t j = 0; j < r; ++j) EXPECT_NEAR(remaining[j], after.pass.inertia[j], 1e-5 * after.pass.inertia[j] + 1e-3);
  rows.take_seeds(second);
  expect_draws(rows, after.weights);
}

}  // namespace hone::trainer::testing
