// Center and spread of features that are not moved by anomalies among the rows. This header knows
// libtorch.
#pragma once

#include <ATen/core/Tensor.h>

namespace hone::trainer {

struct RobustScale {
  at::Tensor center;          // [features] float32: the median
  at::Tensor inverse_spread;  // [features] float32: 1 / half of the range from the 10% to the 90% quantile
};

inline constexpr double kSpreadMin = 1e-30;  // its reciprocal is a float

// From finite rows [rows, features] float32. A feature whose quantiles coincide is divided by its
// standard deviation; one that is constant stays as it is.
[[nodiscard]] RobustScale robust_scale(const at::Tensor& rows);

}  // namespace hone::trainer
