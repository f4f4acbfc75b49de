#include "trainer/kmeans/device_silhouette.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <vector>

namespace hone::trainer {
namespace {

constexpr std::int64_t kBlockColumns = 4096;           // rows that a block is compared with
constexpr std::int64_t kBlockPairs = std::int64_t{4} << 20;  // distances in a block
constexpr std::int64_t kRepairOneIn = 16;              // of a block; where more are needed all are
constexpr std::int64_t kClustersMax = 1 << 16;

// |x|^2 + |y|^2 - 2 x.y loses what the norms are larger than the distance. Below this share of the
// norms the square is computed from the differences.
double trusted_share(const at::Tensor& features) {
  return features.scalar_type() == at::kDouble ? 1e-4 : 1e-2;
}

struct Block {
  at::Tensor rows;     // [n, width]
  at::Tensor squares;  // [n]
};

Block block_of(const Block& all, std::int64_t from, std::int64_t to) {
  return {all.rows.slice(0, from, to), all.squares.slice(0, from, to)};
}

at::Tensor distances(const Block& x, const Block& y, double trusted) {
  const at::Tensor norms = x.squares.unsqueeze(1) + y.squares;
  at::Tensor squares = at::addmm(norms, x.rows, y.rows.t(), 1, -2);
  const at::Tensor doubtful = squares.lt(norms * trusted).nonzero();  // [pairs, 2]
  if (doubtful.size(0) > squares.numel() / kRepairOneIn)
    return at::cdist(x.rows, y.rows, 2, /*compute_mode=*/2);  // from the differences
  const at::Tensor i = doubtful.select(1, 0), j = doubtful.select(1, 1);
  const at::Tensor exact = (x.rows.index_select(0, i) - y.rows.index_select(0, j)).square().sum(1);
  squares.index_put_({i, j}, exact);
  return squares.sqrt_();
}

// [clusters, n] float64 in host memory.
std::vector<double> sums_of(const at::Tensor& features, const at::Tensor& cluster, std::int64_t clusters) {
  const std::int64_t n = features.size(0);
  const at::Tensor centred = features - features.mean(0);
  const Block all{centred, centred.square().sum(1)};
  const at::Tensor member = at::one_hot(cluster, clusters).to(features.scalar_type());  // [n, clusters]
  at::Tensor sums = at::zeros({n, clusters}, features.options().dtype(at::kDouble));
  const double trusted = trusted_share(features);
  const std::int64_t step = std::max<std::int64_t>(1, kBlockPairs / std::min(n, kBlockColumns));
  for (std::int64_t from = 0; from < n; from += step) {
    const std::int64_t to = std::min(from + step, n);
    at::Tensor part = sums.slice(0, from, to);
    for (std::int64_t other = 0; other < n; other += kBlockColumns) {
      const std::int64_t end = std::min(other + kBlockColumns, n);
      const at::Tensor away = distances(block_of(all, from, to), block_of(all, other, end), trusted);
      part += at::mm(away, member.slice(0, other, end)).to(at::kDouble);
    }
  }
  const at::Tensor host = sums.t().contiguous().to(at::kCPU);
  return {host.data_ptr<double>(), host.data_ptr<double>() + host.numel()};
}

}  // namespace

Result<metrics::Silhouette> device_silhouette(const at::Tensor& features, const at::Tensor& cluster) {
  if (features.dim() != 2 || features.size(0) < 1 || cluster.dim() != 1 || cluster.size(0) != features.size(0))
    return fail(Code::invalid, "the Silhouette needs one cluster for each row");
  const at::NoGradGuard no_gradient;
  const at::Tensor host = cluster.to(at::kCPU, at::kInt).contiguous();
  const std::vector<std::int32_t> labels(host.data_ptr<std::int32_t>(), host.data_ptr<std::int32_t>() + host.numel());
  const auto [least, largest] = std::minmax_element(labels.begin(), labels.end());
  if (*least < 0 || *largest >= kClustersMax)
    return fail(Code::invalid, "the clusters of a Silhouette must be numbered from 0 to 65535");
  if (!features.isfinite().all().item<bool>())
    return fail(Code::invalid, "the Silhouette needs finite values: a row holds a NaN or an infinity");
  return metrics::silhouette_from_sums(sums_of(features, cluster, *largest + 1), labels);
}

}  // namespace hone::trainer
