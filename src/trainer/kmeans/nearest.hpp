// The nearest centroid of every row, exactly. This header knows libtorch.
#pragma once

#include <ATen/core/Tensor.h>

namespace hone::trainer {

struct Nearest {
  at::Tensor cluster;   // [rows] int64
  at::Tensor distance;  // [rows] float32, squared
};

// From differences, not the expanded square, which would lose the digits of small distances; in blocks.
[[nodiscard]] Nearest nearest(const at::Tensor& features, const at::Tensor& centroids);

}  // namespace hone::trainer
