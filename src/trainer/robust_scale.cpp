#include "trainer/robust_scale.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>

#include <cmath>

namespace hone::trainer {
namespace {

constexpr double kLow = 0.1, kHigh = 0.9;
// Quantiles of so many rows are as good as those of all: one in a thousand of a standard deviation.
constexpr std::int64_t kQuantileRowsMax = 200'000;

at::Tensor column_quantile(const at::Tensor& columns, double quantile) {
  const auto rank = std::llround(quantile * static_cast<double>(columns.size(1) - 1));
  return std::get<0>(columns.kthvalue(rank + 1, 1));
}

}  // namespace

RobustScale robust_scale(const at::Tensor& rows) {
  const std::int64_t stride = (rows.size(0) + kQuantileRowsMax - 1) / kQuantileRowsMax;
  const at::Tensor columns = rows.slice(0, 0, rows.size(0), stride).t().contiguous();
  const at::Tensor half = (column_quantile(columns, kHigh) - column_quantile(columns, kLow)) / 2;
  const at::Tensor deviation = columns.to(at::kDouble).std(1, /*unbiased=*/false).to(at::kFloat);
  at::Tensor spread = at::where(half.gt(kSpreadMin), half, deviation);
  spread = at::where(spread.gt(kSpreadMin), spread, at::ones_like(spread));
  return {column_quantile(columns, 0.5), spread.reciprocal()};
}

}  // namespace hone::trainer
