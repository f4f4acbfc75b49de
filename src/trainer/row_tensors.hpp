// Rows in memory as libtorch tensors, and tensors as plain values. This header knows libtorch.
#pragma once

#include <torch/types.h>

#include <vector>

#include "trainer/rows.hpp"

namespace hone::trainer {

// CUDA when libtorch has it.
[[nodiscard]] torch::Device best_device();

// [rows, ...signal.shape] of the signal's dtype: borrows the rows' memory (CPU; they must outlive it
// and nobody writes through it) or holds one raw copy (CUDA).
[[nodiscard]] torch::Tensor samples_tensor(const Rows& rows, torch::Device device);

[[nodiscard]] torch::Tensor labels_tensor(const Rows& rows, torch::Device device);  // [rows] int64

// Copied to host memory as floats, row-major.
[[nodiscard]] std::vector<float> floats_of(const torch::Tensor& values);

}  // namespace hone::trainer
