#include <algorithm>

#include "platform/sim/sim.hpp"

namespace hone::platform {

// Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014.
std::uint64_t SimRandom::next() {
  state_ += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

double SimRandom::uniform() {
  return static_cast<double>(next() >> 11) * 0x1p-53;
}

void SimRandom::fill(std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < out.size(); i += 8) {
    const std::uint64_t word = next();
    for (std::size_t k = 0; k < std::min<std::size_t>(8, out.size() - i); ++k) {
      out[i + k] = static_cast<std::uint8_t>(word >> (8 * k));
    }
  }
}

}  // namespace hone::platform
