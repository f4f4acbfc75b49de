#include "trainer/kmeans/spectrum.hpp"

#include <cmath>
#include <numbers>

namespace hone::trainer {

Spectrum spectrum_of(std::int64_t window) {
  Spectrum result;
  result.window = window;
  result.bins = window / 2 + 1;
  const double turn = 2 * std::numbers::pi / static_cast<double>(window);
  for (std::int64_t t = 0; t < window; ++t) {
    const double hann = 0.5 * (1 - std::cos(turn * static_cast<double>(t)));
    for (std::int64_t bin = 0; bin < result.bins; ++bin) {
      const double angle = turn * static_cast<double>((t * bin) % window);
      result.cosines.push_back(static_cast<float>(hann * std::cos(angle)));
      result.sines.push_back(static_cast<float>(hann * std::sin(angle)));
    }
  }
  return result;
}

}  // namespace hone::trainer
