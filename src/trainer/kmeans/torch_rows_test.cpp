// The passes that run on a GPU where there is one, here on a CPU tensor.
#include "trainer/kmeans/torch_rows.hpp"

#include <gtest/gtest.h>

#include <ATen/ops/from_blob.h>
#include <torch/cuda.h>

#include "shared/metrics/silhouette.hpp"
#include "trainer/kmeans/device_silhouette.hpp"
#include "trainer/kmeans/testing_passes.hpp"

namespace hone::trainer {
namespace {

TEST(TorchRows, FindWhatTheDefinitionSays) {
  const at::Device device = torch::cuda::is_available() ? at::kCUDA : at::kCPU;
  for (const std::size_t count : {1u, 333u, 2049u})
    for (const std::size_t k : {1u, 7u}) {
      SCOPED_TRACE(std::to_string(count) + " rows, k=" + std::to_string(k));
      auto values = testing::random_values(count * 5, count + k);
      const at::Tensor features = at::from_blob(values.data(), {static_cast<std::int64_t>(count), 5}).to(device);
      testing::expect_passes_as_defined(*make_torch_rows(features), values, 5, 3, k);
    }
}

// Three thousand rows are several blocks; the clusters are of unlike sizes.
TEST(DeviceSilhouette, EqualsTheOneThatIsComputedOnTheProcessor) {
  const at::Device device = torch::cuda::is_available() ? at::kCUDA : at::kCPU;
  constexpr std::int64_t kRows = 3000, kWidth = 6;
  auto values = testing::random_values(kRows * kWidth, 9);
  std::vector<std::int32_t> labels;
  for (std::int64_t row = 0; row < kRows; ++row) {
    labels.push_back(row % 10 == 0 ? 2 : row % 3 == 0 ? 1 : 0);
    values[static_cast<std::size_t>(row * kWidth)] += 3.0F * static_cast<float>(labels.back());
  }
  const at::Tensor cluster = at::from_blob(labels.data(), {kRows}, at::kInt).to(device, at::kLong);
  const at::Tensor features = at::from_blob(values.data(), {kRows, kWidth}).to(device);
  const std::vector<double> exact(values.begin(), values.end());
  const auto expected = metrics::silhouette(metrics::Matrix<double>{exact, kRows, kWidth}, labels);
  ASSERT_TRUE(expected) << expected.error().context;
  const auto single = device_silhouette(features, cluster), twice = device_silhouette(features.to(at::kDouble), cluster);
  ASSERT_TRUE(single) << single.error().context;
  ASSERT_TRUE(twice) << twice.error().context;
  EXPECT_NEAR(single->mean, expected->mean, 1e-4);
  EXPECT_NEAR(twice->mean, expected->mean, 1e-9);
  for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(twice->clusters[c], expected->clusters[c], 1e-9);
  const at::Tensor one = at::from_blob(labels.data(), {kRows}, at::kInt).to(device, at::kLong).zero_();
  EXPECT_FALSE(device_silhouette(features, one)) << "a single cluster has none";
}

}  // namespace
}  // namespace hone::trainer
