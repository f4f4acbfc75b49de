// The nearest centroid of every row, exactly. This header knows libtorch.
#pragma once

#include <torch/types.h>

namespace hone::trainer {

struct Nearest {
  torch::Tensor cluster;   // [rows] int64
  torch::Tensor distance;  // [rows] float32, squared
};

// From differences, not the expanded square, which would lose the digits of small distances; in blocks.
[[nodiscard]] Nearest nearest(const torch::Tensor& features, const torch::Tensor& centroids);

}  // namespace hone::trainer
