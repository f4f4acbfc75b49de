// The passes that run on a GPU where there is one, here on a CPU tensor.
#include "trainer/kmeans/torch_rows.hpp"

#include <gtest/gtest.h>

#include <ATen/ops/from_blob.h>
#include <torch/cuda.h>

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

}  // namespace
}  // namespace hone::trainer
