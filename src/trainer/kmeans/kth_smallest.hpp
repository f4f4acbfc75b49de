// The k-th smallest of many distances, faster than std::nth_element: their bits are counted first, because floats
// that are not negative are ordered as their bits are.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hone::trainer {

// `values` are not negative and no NaN; `rank` counts from 0, below values.size().
[[nodiscard]] inline float kth_smallest(std::span<const float> values, std::size_t rank) {
  constexpr int kShift = 20;  // sign, exponent and three bits of the fraction: 4096 counters stay in the cache
  std::vector<std::uint32_t> counts(std::size_t{1} << (32 - kShift));
  for (const float value : values) ++counts[std::bit_cast<std::uint32_t>(value) >> kShift];
  std::uint32_t bucket = 0;
  while (rank >= counts[bucket]) rank -= counts[bucket++];
  std::vector<float> within;
  within.reserve(counts[bucket]);
  for (const float value : values)
    if (std::bit_cast<std::uint32_t>(value) >> kShift == bucket) within.push_back(value);
  const auto at = within.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(within.begin(), at, within.end());
  return *at;
}

}  // namespace hone::trainer
