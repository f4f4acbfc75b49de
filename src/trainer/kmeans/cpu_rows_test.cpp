#include "trainer/kmeans/cpu_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "trainer/kmeans/kth_smallest.hpp"
#include "trainer/kmeans/testing_passes.hpp"

namespace hone::trainer {
namespace {

TEST(CpuRows, FindsWhatTheDefinitionSaysAtEverySizeOfPanelsBlocksAndPieces) {
  for (const std::size_t count : {1u, 15u, 16u, 17u, 333u, 1024u, 2049u})
    for (const std::size_t width : {1u, 3u, 16u})
      for (const std::size_t k : {1u, 2u, 6u, 7u, 13u}) {
        SCOPED_TRACE(std::to_string(count) + " rows, " + std::to_string(width) + " features, k=" + std::to_string(k));
        const auto values = testing::random_values(count * width, count + width + k);
        const auto rows = make_cpu_rows(values, static_cast<std::int64_t>(width), 2);
        testing::expect_passes_as_defined(*rows, values, width, 3, k);
        if (::testing::Test::HasFailure()) return;
      }
}

TEST(CpuRows, GivesRowsBackAsTheyCame) {
  const auto values = testing::random_values(60, 1);
  const auto rows = make_cpu_rows(values, 3);
  const std::vector<std::int64_t> numbers{19, 0, 7};
  const std::vector<float> found = rows->gather(numbers);
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], values[static_cast<std::size_t>(numbers[i / 3]) * 3 + i % 3], 1e-4);
}

TEST(KthSmallest, IsTheOneThatSortingFinds) {
  std::mt19937_64 random(3);
  std::lognormal_distribution<float> draw(0, 4);
  std::vector<float> values{0, 0, 1e30F, 3, 3, 3};
  for (int i = 0; i < 995; ++i) values.push_back(draw(random));
  std::vector<float> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t rank = 0; rank < values.size(); ++rank) ASSERT_EQ(kth_smallest(values, rank), sorted[rank]) << rank;
}

}  // namespace
}  // namespace hone::trainer
