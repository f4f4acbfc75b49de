// In which ways each tensor of a network may change under a byte budget, before training decides how much
// of it is used. Pure: no libtorch.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/plan.hpp"

namespace hone::trainer::wire_training {

struct Part {
  std::uint32_t rows = 0, columns = 0;  // of the product: a convolution [out, in, h, w] is out x (in * h * w)
  std::uint32_t rank = 0;               // 0: no product
  bool lattice = false;                 // steps of its own for each element
  double step = 0;                      // of the lattice, in root mean squares of the free model's move
};

// One for each tensor of the plan. Biases and small tensors get a lattice; one whose steps alone, mostly
// zero, would eat the budget gets a product, of as many components as the budget pays for. `bytes` is what
// may be spent on weights.
[[nodiscard]] std::vector<Part> parts_for(const Plan& plan, std::uint64_t bytes);

}  // namespace hone::trainer::wire_training
