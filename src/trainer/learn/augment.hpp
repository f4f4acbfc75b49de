// `train.augment`: images that are moved and turned a little, anew each time they are seen. This header
// knows libtorch.
#pragma once

#include <ATen/core/Tensor.h>

#include "shared/pipeline/pipeline.hpp"

namespace hone::trainer {

// `images` [n, channels, height, width] of any dtype; float32 comes back. Each is shifted by a whole number
// of pixels up to rules.shift each way and turned about its centre by up to rules.rotate degrees, between
// pixels linearly; what comes in over the edge repeats the edge. Draws from libtorch's default generator.
[[nodiscard]] at::Tensor augmented(const at::Tensor& images, const AugmentRules& rules);

}  // namespace hone::trainer
