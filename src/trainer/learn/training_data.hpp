// The rows that a network is fitted to, as libtorch wants them. This header knows libtorch.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/rows.hpp"

namespace hone::trainer {

struct TrainingData {
  at::Tensor x;           // [rows, ...signal.shape] of the signal's dtype; see samples_tensor
  at::Tensor y;           // [rows] int64, -1: nobody told
  at::Tensor fit;         // [n] int64: the rows that weights are fitted to,
  at::Tensor validation;  // [m] int64: and those that choose the epoch (split_by_content)
};

// Borrows the rows' memory on the CPU: they must outlive it.
[[nodiscard]] TrainingData training_data(const Rows& rows, at::Device device);

}  // namespace hone::trainer
