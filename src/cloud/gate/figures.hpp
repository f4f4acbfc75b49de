// How the gate writes numbers.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

namespace hone::cloud {

// "0.9885": four digits, because a holdout seldom has more rows than that can tell apart.
[[nodiscard]] inline std::string figure(double value) {
  std::array<char, 48> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.4f", value == 0 ? 0.0 : value);
  return {text.data(), static_cast<std::size_t>(length)};
}

[[nodiscard]] inline std::string percent(double share) {
  std::array<char, 48> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.4g%%", share * 100);
  return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace hone::cloud
