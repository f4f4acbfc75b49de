// The Silhouette of a clustering on the device that holds the rows: shared/metrics/silhouette.hpp says
// what it is, and turns the sums that are computed here into figures. This header knows libtorch.
#pragma once

#include <ATen/core/Tensor.h>

#include "base/result.hpp"
#include "shared/metrics/silhouette.hpp"

namespace hone::trainer {

// `features` [n, width] float32 or float64 of any device, finite; `cluster` [n] int64 on the same. Exact, by
// products of blocks of rows; memory is n x clusters sums and blocks of kBlockPairs distances, never n x n.
// Distances that a product would compute with few digits are taken from the differences of the rows.
// Errors as in metrics::silhouette.
[[nodiscard]] Result<metrics::Silhouette> device_silhouette(const at::Tensor& features, const at::Tensor& cluster);

}  // namespace hone::trainer
