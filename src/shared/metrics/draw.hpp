// Whole numbers drawn the same way on every machine: the standard library's distributions are not.
#pragma once

#include <cstdint>
#include <random>

namespace hone::metrics {

// Uniform below `bound` > 0, without a division in most calls (Lemire 2019, ACM TOMACS 29:3).
[[nodiscard]] inline std::uint64_t draw_below(std::mt19937_64& random, std::uint64_t bound) {
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(random()) * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t reject = (0 - bound) % bound;
    while (static_cast<std::uint64_t>(product) < reject) product = static_cast<Wide>(random()) * bound;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

}  // namespace hone::metrics
