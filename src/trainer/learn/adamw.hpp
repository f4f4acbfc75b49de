// AdamW (Loshchilov & Hutter 2019) over all parameters at once: they are moved into one vector, so
// that a step is half a dozen operations whatever the number of layers. This header knows libtorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace hone::trainer {

class AdamW {
 public:
  // Leaves of one device, fp32, that require a gradient. They keep their values and their identity;
  // their storage and their gradients become parts of two vectors that live as long as this object
  // or they do.
  explicit AdamW(const std::vector<at::Tensor>& parameters);

  void zero_gradients();
  void step(double learning_rate);

 private:
  at::Tensor values_, gradients_;          // [all parameters]
  at::Tensor mean_, square_, scratch_;     // of the gradients, decaying
  std::int64_t steps_ = 0;
};

}  // namespace hone::trainer
