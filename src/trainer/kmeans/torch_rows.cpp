#include "trainer/kmeans/torch_rows.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "trainer/row_tensors.hpp"

namespace hone::trainer {
namespace {

constexpr std::int64_t kBlockElements = std::int64_t{4} << 20;  // of one product: 16 MiB

template <class T>
at::Tensor copied(std::span<const T> values, at::IntArrayRef shape, at::ScalarType type, at::Device device) {
  return at::from_blob(const_cast<T*>(values.data()), shape, type).to(device, type, /*non_blocking=*/false, /*copy=*/true);
}

template <class T>
std::vector<T> host(const at::Tensor& values, at::ScalarType type) {
  const at::Tensor flat = values.to(at::kCPU, type).contiguous();
  return {flat.data_ptr<T>(), flat.data_ptr<T>() + flat.numel()};
}

class TorchRows final : public ClusterRows {
 public:
  explicit TorchRows(const at::Tensor& features)
      : mean_(features.mean(0, true, at::kDouble).to(at::kFloat)),
        features_(features - mean_),
        squares_(features_.square().sum(1)) {}

  std::int64_t rows() const override { return features_.size(0); }
  std::int64_t features() const override { return features_.size(1); }

  std::vector<float> gather(std::span<const std::int64_t> numbers) const override {
    const at::Tensor index = copied(numbers, {static_cast<std::int64_t>(numbers.size())}, at::kLong, device());
    return floats_of(features_.index_select(0, index) + mean_);
  }
  void begin_seeds(std::int64_t r) override {
    seeded_ = false;
    weight_ = at::ones({r, rows()}, features_.options());
  }
  std::vector<std::int64_t> draw(std::span<const double> fractions) const override;
  std::vector<double> try_seeds(std::span<const float> candidates) const override;
  void take_seeds(std::span<const float> seeds) override;
  Pass pass(std::span<const float> centroids, std::int64_t r, double trim) override;

 private:
  [[nodiscard]] at::Device device() const { return features_.device(); }
  [[nodiscard]] at::Tensor centred(std::span<const float> centroids, std::int64_t r) const {
    const at::Tensor flat =
        copied(centroids, {static_cast<std::int64_t>(centroids.size()) / features(), features()}, at::kFloat, device());
    return (flat - mean_).view({r, -1, features()});
  }
  [[nodiscard]] std::int64_t block_rows(std::int64_t columns) const {
    return std::max<std::int64_t>(256, kBlockElements / std::max<std::int64_t>(1, columns));
  }
  // |f - c|^2 = |f|^2 - 2 f.c + |c|^2 of the rows from `from` to `to`: [block, r * k], one product for all restarts.
  [[nodiscard]] at::Tensor distances(const at::Tensor& centroids, std::int64_t from, std::int64_t to) const {
    const at::Tensor flat = centroids.reshape({-1, features()});
    const at::Tensor product = at::addmm(flat.square().sum(1), features_.slice(0, from, to), flat.t(), 1, -2);
    return (product + squares_.slice(0, from, to).unsqueeze(1)).clamp_min(0);
  }
  void assign(const at::Tensor& centroids);
  void add_up(const at::Tensor& pulls, std::int64_t k, Pass& pass) const;

  const at::Tensor mean_;      // [1, features]: subtracted from all, so that squares keep their digits
  const at::Tensor features_;  // [rows, features]
  const at::Tensor squares_;   // [rows]
  bool seeded_ = false;
  at::Tensor weight_;   // [r, rows]
  at::Tensor nearest_;  // [r, rows] int64
};

std::vector<std::int64_t> TorchRows::draw(std::span<const double> fractions) const {
  const std::int64_t r = weight_.size(0);
  const at::Tensor sums = weight_.to(at::kDouble).cumsum(1);
  const at::Tensor point =
      copied(fractions, {r, static_cast<std::int64_t>(fractions.size()) / r}, at::kDouble, device());
  const at::Tensor found = at::searchsorted(sums, point * sums.slice(1, rows() - 1), false, /*right=*/true);
  return host<std::int64_t>(found.clamp_max(rows() - 1), at::kLong);
}

std::vector<double> TorchRows::try_seeds(std::span<const float> candidates) const {
  const std::int64_t r = weight_.size(0);
  const at::Tensor seeds = centred(candidates, r);
  at::Tensor remaining = at::zeros({r, seeds.size(1)}, features_.options().dtype(at::kDouble));
  const std::int64_t step = block_rows(r * seeds.size(1));
  for (std::int64_t from = 0; from < rows(); from += step) {
    const std::int64_t to = std::min(from + step, rows());
    const at::Tensor near = distances(seeds, from, to).view({to - from, r, -1});
    const at::Tensor weights = weight_.slice(1, from, to).t().unsqueeze(2);
    remaining += at::minimum(near, weights).sum(0, false, at::kDouble);
  }
  return host<double>(remaining, at::kDouble);
}

void TorchRows::take_seeds(std::span<const float> seeds) {
  const at::Tensor taken = centred(seeds, weight_.size(0));
  const at::Tensor before = weight_;
  assign(taken);
  if (std::exchange(seeded_, true)) weight_ = at::minimum(before, weight_);
}

void TorchRows::assign(const at::Tensor& centroids) {
  const std::int64_t r = centroids.size(0), k = centroids.size(1);
  nearest_ = at::empty({r, rows()}, features_.options().dtype(at::kLong));
  weight_ = at::empty({r, rows()}, features_.options());
  const std::int64_t step = block_rows(r * k);
  for (std::int64_t from = 0; from < rows(); from += step) {
    const std::int64_t to = std::min(from + step, rows());
    const auto [least, cluster] = distances(centroids, from, to).view({to - from, r, k}).min(2);
    nearest_.slice(1, from, to).copy_(cluster.t());
    weight_.slice(1, from, to).copy_(least.t());
  }
}

// Membership as a matrix of zeros and ones, times the rows.
void TorchRows::add_up(const at::Tensor& pulls, std::int64_t k, Pass& pass) const {
  const std::int64_t r = nearest_.size(0);
  const auto doubles = features_.options().dtype(at::kDouble);
  at::Tensor sums = at::zeros({r * k, features()}, doubles);
  at::Tensor pulling = at::zeros({r, k}, doubles), members = at::zeros({r, k}, doubles);
  const at::Tensor names = at::arange(k, nearest_.options()).view({1, k, 1});
  const std::int64_t step = block_rows(r * k);
  for (std::int64_t from = 0; from < rows(); from += step) {
    const std::int64_t to = std::min(from + step, rows());
    const at::Tensor member = nearest_.slice(1, from, to).unsqueeze(1).eq(names);  // [r, k, block]
    members += member.sum(2).to(at::kDouble);
    const at::Tensor pull = member.logical_and(pulls.slice(1, from, to).unsqueeze(1)).to(at::kFloat);
    pulling += pull.sum(2).to(at::kDouble);
    sums += at::mm(pull.view({r * k, to - from}), features_.slice(0, from, to)).to(at::kDouble);
  }
  sums += pulling.view({r * k, 1}) * mean_.to(at::kDouble);
  pass.sums = host<double>(sums, at::kDouble);
  pass.pulling = host<double>(pulling, at::kDouble);
  pass.members = host<double>(members, at::kDouble);
}

Pass TorchRows::pass(std::span<const float> centroids, std::int64_t r, double trim) {
  const at::Tensor placed = centred(centroids, r);
  assign(placed);
  const auto keep = std::max<std::int64_t>(1, std::llround((1 - trim) * static_cast<double>(rows())));
  at::Tensor pulls = at::ones_like(weight_, weight_.options().dtype(at::kBool));
  if (keep < rows()) {
    pulls = weight_.le(std::get<0>(weight_.kthvalue(keep, 1, true)));
    weight_ = weight_ * pulls;
  }
  Pass result;
  add_up(pulls, placed.size(1), result);
  result.inertia = host<double>(weight_.sum(1, false, at::kDouble), at::kDouble);
  return result;
}

}  // namespace

std::unique_ptr<ClusterRows> make_torch_rows(const at::Tensor& features) {
  return std::make_unique<TorchRows>(features);
}

}  // namespace hone::trainer
