// What a network is fitted for: the port between the loop, which knows steps and epochs, and a
// recipe, which knows what is good. This header knows libtorch.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/network.hpp"

namespace hone::trainer {

struct Validation {
  double metric = 0;  // higher is better
  double standard_error = 0;
};

class Objective {
 public:
  virtual ~Objective() = default;
  // The mean loss over the rows `pick` [n] int64, a scalar to be differentiated; `network` is training.
  [[nodiscard]] virtual at::Tensor loss(const Network& network, const at::Tensor& pick) const = 0;
  // On the validation rows.
  [[nodiscard]] virtual Validation validate(const Network& network) const = 0;
};

}  // namespace hone::trainer
