// Rows in memory as libtorch tensors, and tensors as plain values. This header knows libtorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "trainer/rows.hpp"

namespace hone::trainer {

// CUDA when libtorch has it.
[[nodiscard]] at::Device best_device();

// [rows, ...signal.shape] of the signal's dtype: borrows the rows' memory (CPU; they must outlive it
// and nobody writes through it) or holds one raw copy (CUDA).
[[nodiscard]] at::Tensor samples_tensor(const Rows& rows, at::Device device);

[[nodiscard]] at::Tensor labels_tensor(const Rows& rows, at::Device device);  // [rows] int64

[[nodiscard]] at::Tensor indices_tensor(const std::vector<std::int64_t>& rows, at::Device device);  // [n] int64

[[nodiscard]] at::Tensor tensor_of(const std::vector<float>& values, at::Device device);  // [n] float32, a copy

// Copied to host memory as floats, row-major.
[[nodiscard]] std::vector<float> floats_of(const at::Tensor& values);

}  // namespace hone::trainer
