// Rows in a tensor, passed over by libtorch wherever the tensor is: meant for GPUs, where cpu_rows.hpp cannot go.
// This header knows libtorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "trainer/kmeans/cluster_rows.hpp"

namespace hone::trainer {

// `features` [rows, features] float32, finite; shared, not copied. On a CPU the result is the same each time: memberships
// are matrix products, not scattered additions. On a GPU a seed may differ where libtorch's own running sums do.
[[nodiscard]] std::unique_ptr<ClusterRows> make_torch_rows(const at::Tensor& features);

}  // namespace hone::trainer
