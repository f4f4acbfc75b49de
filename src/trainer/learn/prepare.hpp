// What every fit of a network does first. This header knows libtorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "shared/pipeline/pipeline.hpp"
#include "trainer/plan.hpp"

namespace hone::trainer {

// Sets libtorch's threads and seed, and how memory is kept; returns the device to fit on.
at::Device prepare_libtorch(const Plan& plan, const TrainRules& rules, std::uint64_t seed);

}  // namespace hone::trainer
