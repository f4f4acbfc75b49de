// Coding of one tensor element: against the base's element at the same place, or alone.
#pragma once

#include <stdint.h>

#include "shared/delta/format/elements.hpp"
#include "shared/delta/format/models.hpp"

namespace hone::delta {

[[nodiscard]] inline uint32_t activity_level(uint32_t activity) {
  // of 65536: under 1/2048, 1/256, 1/64, 1/24, 1/10, 1/5, 2/5
  if (activity < 1024) return activity < 32 ? 0 : activity < 256 ? 1 : 2;
  if (activity < 6554) return activity < 2731 ? 3 : 4;
  return activity < 13107 ? 5 : activity < 26214 ? 6 : 7;
}
[[nodiscard]] inline uint32_t scale_level(int32_t deviation) {
  return deviation < 0 ? (deviation < -192 ? 0u : deviation < -64 ? 1u : 2u)
                       : (deviation > 192 ? 4u : deviation > 64 ? 3u : 2u);
}

// Codes the target element `given` (raw bits; ignored when decoding) against `base` (raw bits).
// `by_mantissa`: the size of the difference depends on the base value itself (changes in proportion
// to the weights), rather than on what happened to its neighbours.
template <Profile kProfile, Type kType, class C>
inline uint64_t code_residual(C& coder, Counter* counters, ValueMemory& memory, uint32_t top_exponent, bool by_mantissa,
                              uint64_t base, uint64_t given) {
  using E = Element<kType>;
  constexpr Dimensions d = dimensions(kProfile);
  constexpr Layout l = kLayout<kProfile>;
  const uint32_t cls = E::magnitude_class(base, top_exponent, d.classes);
  const uint64_t base_ordered = E::to_ordered(base);
  const uint64_t difference = (E::to_ordered(given) - base_ordered) & E::mask;

  const uint32_t zero_context = activity_level(memory.activity) * 4 + (memory.last & 3u);
  const uint32_t changed =
      coder.bit(counters[l.zero + (cls >> E::zero_class_shift) * kZeroContexts + zero_context], difference != 0, kValueLimit);
  memory.last = memory.last << 1 | changed;
  if (changed == 0) {
    memory.activity -= memory.activity >> 5;
    return base;
  }
  memory.activity += (65536 - memory.activity) >> 5;

  const uint32_t base_sign = E::negative(base) ? 4 : 0;
  const uint32_t down = coder.bit(counters[l.sign + base_sign + memory.last_sign], (difference & E::sign) != 0, kValueLimit);
  memory.last_sign = 1 + down;

  const uint64_t size = down != 0 ? (~difference + 1) & E::mask : difference;
  const uint32_t level = d.scale_levels == 1 ? 0 : by_mantissa ? 5 + E::mantissa_top(base) : scale_level(memory.deviation);
  const uint32_t length = code_tree(coder, counters + l.length + (cls * d.scale_levels + level) * 64, E::length_depth,
                                    bit_length(size) - 1, kValueLimit);
  if constexpr (d.scale_levels != 1) {
    const int32_t now = static_cast<int32_t>(length + 1) << 8;
    uint16_t& mean = memory.mean[cls];
    if (mean == 0) mean = static_cast<uint16_t>(now);
    const int32_t off = now - mean;
    mean = static_cast<uint16_t>(mean + (off >> 6));
    memory.deviation += (off - memory.deviation) >> 4;
  }
  const uint32_t modelled = length < 3 ? length : 3;
  Counter* top = counters + l.top + ((d.top_by_class != 0 ? cls * 32 : 0) + (length < 31 ? length : 31)) * 8;
  uint64_t out = uint64_t{1} << modelled;
  const uint32_t rest = length - modelled;
  out |= code_tree(coder, top, modelled, static_cast<uint32_t>(size >> rest) & ((1u << modelled) - 1u), kValueLimit);
  out = out << rest | code_raw(coder, size & ((uint64_t{1} << rest) - 1), rest);
  return E::from_ordered((base_ordered + (down != 0 ? ~out + 1 : out)) & E::mask);
}

// Codes `given` with no base: exponent under the recent scale, sign raw, three mantissa bits
// modelled, the rest raw. Integers: bit length under the recent scale, sign, the bits below.
template <Profile kProfile, Type kType, class C>
inline uint64_t code_intra(C& coder, Counter* counters, ValueMemory& memory, uint32_t top_exponent, uint64_t given) {
  using E = Element<kType>;
  constexpr Dimensions d = dimensions(kProfile);
  constexpr Layout l = kLayout<kProfile>;
  const int32_t scale = memory.scale >> 7;  // half steps
  const uint32_t context = d.intra_scales == 1 ? 0 : static_cast<uint32_t>(scale < 0 ? 0 : scale > 7 ? 7 : scale);
  Counter* exponents = counters + l.exponent + context * 256;
  if constexpr (E::exponent_bits != 0) {
    // Exponents from the top: 254 and 255 stand for "254 or more below" and zero exponents.
    const uint32_t e = E::exponent(given);
    const uint32_t below = code_tree(coder, exponents, 8, top_exponent - e, kValueLimit) & 255u;
    memory.scale += ((static_cast<int32_t>(below < 24 ? below : 24) << 8) - memory.scale) >> 5;
    const uint64_t exponent = (top_exponent - below) & ((1u << E::exponent_bits) - 1u);
    const uint32_t cls = below < d.classes ? below : d.classes - 1;
    constexpr uint32_t modelled = E::mantissa_bits < 4 ? E::mantissa_bits : 4;
    constexpr uint32_t rest = E::mantissa_bits - modelled;
    const uint64_t sign = coder.raw(static_cast<uint32_t>(given >> (E::bits - 1)) & 1u, 1);
    uint64_t mantissa = code_tree(coder, counters + l.intra_top + cls * 16, modelled,
                                  static_cast<uint32_t>(given >> rest) & ((1u << modelled) - 1u), kValueLimit);
    mantissa = mantissa << rest | code_raw(coder, given & ((uint64_t{1} << rest) - 1), rest);
    return sign << (E::bits - 1) | exponent << E::mantissa_bits | mantissa;
  } else {
    const bool negative = E::info.is_unsigned == 0 && (given & E::sign) != 0;
    const uint64_t value = E::info.is_unsigned != 0 ? given : negative ? (~given + 1) & E::mask : given;
    const uint32_t length = code_tree(coder, exponents, E::length_depth + 1, bit_length(value), kValueLimit);
    memory.scale += ((static_cast<int32_t>(length) << 8) - memory.scale) >> 5;
    if (length == 0) return 0;
    const uint32_t down = coder.bit(counters[l.integer_sign], negative, kValueLimit);
    const uint32_t below = length - 1;
    const uint32_t modelled = below < 3 ? below : 3;
    const uint32_t rest = below - modelled;
    const uint32_t cls = length < d.classes ? length : d.classes - 1;
    uint64_t out = uint64_t{1} << modelled;
    out |= code_tree(coder, counters + l.intra_top + cls * 16, modelled,
                     static_cast<uint32_t>(value >> rest) & ((1u << modelled) - 1u), kValueLimit);
    out = out << rest | code_raw(coder, value & ((uint64_t{1} << rest) - 1), rest);
    return (down != 0 ? ~out + 1 : out) & E::mask;
  }
}

}  // namespace hone::delta
