// What a network does with raw * scale before its first layer: clip((value - center) * inverse_spread).
// Learned from training rows once, a constant of the graph, so that a device sends raw signals.
#pragma once

#include <cstdint>
#include <vector>

namespace hone::trainer {

struct InputScale {
  std::vector<std::int64_t> shape;  // over one sample; extents of 1 are broadcast: [channels, 1, 1] of an image
  std::vector<float> center;
  std::vector<float> inverse_spread;
  float clip = 0;  // values beyond it are brought back to it

  friend bool operator==(const InputScale&, const InputScale&) = default;
};

}  // namespace hone::trainer
