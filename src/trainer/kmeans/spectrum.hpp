// The magnitude spectrum of a window as two matrix products, the same in training and in the graph:
//   magnitude = sqrt((x . cosines)^2 + (x . sines)^2)
#pragma once

#include <cstdint>
#include <vector>

namespace hone::trainer {

struct Spectrum {
  std::int64_t window = 0, bins = 0;    // bins = window / 2 + 1, from 0 to half the sampling rate
  std::vector<float> cosines, sines;    // [window, bins], Hann-weighted (periodic), row-major
};

[[nodiscard]] Spectrum spectrum_of(std::int64_t window);

}  // namespace hone::trainer
