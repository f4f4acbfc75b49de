#include "trainer/kmeans/nearest.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>

namespace hone::trainer {
namespace {

constexpr std::int64_t kBlockElements = std::int64_t{4} << 20;  // of the differences: 16 MiB

}  // namespace

Nearest nearest(const at::Tensor& features, const at::Tensor& centroids) {
  const std::int64_t rows = features.size(0);
  Nearest result{at::empty({rows}, features.options().dtype(at::kLong)), at::empty({rows}, features.options())};
  const std::int64_t step = std::max<std::int64_t>(256, kBlockElements / std::max<std::int64_t>(1, centroids.numel()));
  for (std::int64_t from = 0; from < rows; from += step) {
    const std::int64_t to = std::min(from + step, rows);
    const at::Tensor away = features.slice(0, from, to).unsqueeze(1) - centroids.unsqueeze(0);
    const auto [least, cluster] = away.square().sum(2).min(1);
    result.cluster.slice(0, from, to).copy_(cluster);
    result.distance.slice(0, from, to).copy_(least);
  }
  return result;
}

}  // namespace hone::trainer
