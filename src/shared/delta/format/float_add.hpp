// One fp32 addition in integers: the same bits on every CPU, whatever its floating-point unit rounds to
// or flushes. IEEE 754-2019, 5.4.1, roundTiesToEven, subnormals kept.
#pragma once

#include <stdint.h>

#include "shared/delta/format/numbers.hpp"

namespace hone::delta {

inline constexpr int32_t kStepsMax = (1 << 24) - 1;  // |k|
inline constexpr int32_t kScaleMin = -104;           // s: the largest k * 2^-s still is finite
inline constexpr int32_t kScaleMax = 149;            // the smallest is the smallest subnormal

[[nodiscard]] inline bool is_finite_f32(uint32_t bits) { return (bits & 0x7F800000u) != 0x7F800000u; }

// The bits of a + k * 2^-s, for finite `a`, 0 < |k| <= kStepsMax and s within its limits (so that
// k * 2^-s is an fp32 number itself). Too large a sum is infinite.
[[nodiscard]] inline uint32_t add_steps_f32(uint32_t a, int32_t k, int32_t s) {
  const uint32_t field = a >> 23 & 255u;
  const uint64_t a_size = (a & 0x7FFFFFu) | (field != 0 ? 0x800000u : 0u);
  const uint64_t k_size = static_cast<uint32_t>(k < 0 ? -k : k);
  const int32_t a_unit = static_cast<int32_t>(field != 0 ? field : 1u) - 150;
  const int32_t k_unit = -s;
  // Both with 38 bits below their unit; the one with the smaller unit moves down, and its lowest bit
  // tells of what is lost. The other one is never zero: zero's unit is the smallest there is.
  const int32_t apart = a_unit > k_unit ? a_unit - k_unit : k_unit - a_unit;
  const auto moved = [apart](uint64_t size) {
    const uint64_t wide = size << 38;
    if (apart >= 63) return static_cast<uint64_t>(size != 0);
    return wide >> apart | static_cast<uint64_t>((wide & ((uint64_t{1} << apart) - 1)) != 0);
  };
  const uint64_t a_part = a_unit < k_unit ? moved(a_size) : a_size << 38;
  const uint64_t k_part = k_unit < a_unit ? moved(k_size) : k_size << 38;
  const int32_t unit = (a_unit > k_unit ? a_unit : k_unit) - 38;

  const bool a_negative = a >> 31 != 0;
  bool negative = a_negative;
  uint64_t sum = a_part + k_part;
  if (a_negative != (k < 0)) {
    negative = a_part >= k_part ? a_negative : !a_negative;
    sum = a_part >= k_part ? a_part - k_part : k_part - a_part;
  }
  if (sum == 0) return 0;

  // 24 bits, or as many as a subnormal has.
  int32_t last = unit + static_cast<int32_t>(bit_length(sum)) - 24;
  if (last < -149) last = -149;
  const int32_t drop = last - unit;
  uint64_t kept = 0;
  if (drop <= 0) {
    kept = sum << -drop;
  } else {
    kept = sum >> drop;
    const uint64_t rest = sum & ((uint64_t{1} << drop) - 1);
    const uint64_t half = uint64_t{1} << (drop - 1);
    if (rest > half || (rest == half && (kept & 1u) != 0)) ++kept;
  }
  // The leading bit carries into the exponent's field, as does a rounding up to the next octave.
  const uint32_t bits = (static_cast<uint32_t>(last + 149) << 23) + static_cast<uint32_t>(kept);
  return (negative ? 0x80000000u : 0u) | (bits < 0x7F800000u && last < 105 ? bits : 0x7F800000u);
}

}  // namespace hone::delta
