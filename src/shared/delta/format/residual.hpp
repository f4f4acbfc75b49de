// Coding of one tensor element against the base's element at the same place.
#pragma once

#include <stdint.h>

#include "shared/delta/format/elements.hpp"
#include "shared/delta/format/inlining.hpp"
#include "shared/delta/format/models.hpp"

namespace hone::delta {

[[nodiscard]] HONE_DELTA_INLINE uint32_t activity_level(uint32_t activity) {
  // of 65536: under 1/2048, 1/256, 1/64, 1/24, 1/10, 1/5, 2/5
  if (activity < 1024) return activity < 32 ? 0 : activity < 256 ? 1 : 2;
  if (activity < 6554) return activity < 2731 ? 3 : 4;
  return activity < 13107 ? 5 : activity < 26214 ? 6 : 7;
}
[[nodiscard]] HONE_DELTA_INLINE uint32_t scale_level(int32_t deviation) {
  return deviation < 0 ? (deviation < -192 ? 0u : deviation < -64 ? 1u : 2u)
                       : (deviation > 192 ? 4u : deviation > 64 ? 3u : 2u);
}

// What is the same for all elements of an operation.
struct ResidualTraits {
  uint32_t top_exponent;  // the largest in the base tensor
  // The size of the difference depends on the base value itself (changes in proportion to the
  // weights), rather than on what happened to its neighbours.
  bool by_mantissa;
  uint32_t zero_bits;  // low bits that are zero in every element of base and target
};

// Codes a difference that is not zero. `given` (raw bits) is ignored when decoding.
template <Profile kProfile, class E, class C>
HONE_DELTA_INLINE uint64_t code_change(const E& e, C& coder, Counter* counters, ValueMemory& memory,
                                       const ResidualTraits& traits, uint64_t base, uint64_t given) {
  constexpr Dimensions d = dimensions(kProfile);
  constexpr Layout l = kLayout<kProfile>;
  const uint32_t cls = e.magnitude_class(base, traits.top_exponent, d.classes);
  // Without the bits that are zero; what they are of a negative number's order comes back below.
  const uint32_t zero_bits = e.exponent_bits != 0 ? traits.zero_bits : 0;
  const uint64_t mask = e.mask >> zero_bits;
  const uint64_t base_ordered = e.to_ordered(base) >> zero_bits;
  const uint64_t difference = ((e.to_ordered(given) >> zero_bits) - base_ordered) & mask;

  const uint32_t base_sign = e.negative(base) ? 4 : 0;
  const uint32_t down = coder.bit(counters[l.sign + base_sign + memory.last_sign], (difference & (e.sign >> zero_bits)) != 0, kValueLimit);
  memory.last_sign = 1 + down;

  const uint64_t size = down != 0 ? (~difference + 1) & mask : difference;
  const uint32_t level =
      d.scale_levels == 1 ? 0 : traits.by_mantissa ? 5 + e.mantissa_top(base) : scale_level(memory.deviation);
  Counter* lengths = counters + l.length + (e.length_depth > 5 ? ((cls >> 1) * d.scale_levels + level) * 2
                                                                : cls * d.scale_levels + level) * kLengths;
  // Small integers mostly change by one, so a bit of its own says that.
  uint32_t length = 0;
  if (e.bits != 8 || code_flag(coder, lengths[0], size != 1, kValueLimit) != 0)
    length = code_tree(coder, lengths, e.length_depth, bit_length(size) - 1, kValueLimit);
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
  const uint64_t ordered = ((base_ordered + (down != 0 ? ~out + 1 : out)) & mask) << zero_bits;
  return e.from_ordered(ordered) & ~((uint64_t{1} << zero_bits) - 1);
}

// Codes an element, of which a flag says whether it changed: the base's class and the flags before
// tell how likely that is.
template <Profile kProfile, class E, class C>
HONE_DELTA_INLINE uint64_t code_residual(const E& e, C& coder, Counter* counters, ValueMemory& memory,
                                         const ResidualTraits& traits, uint64_t base, uint64_t given) {
  constexpr Layout l = kLayout<kProfile>;
  const uint32_t cls = e.magnitude_class(base, traits.top_exponent, dimensions(kProfile).classes);
  const uint32_t zero_context = activity_level(memory.activity) * 4 + (memory.last & 3u);
  const uint32_t changed =
      code_flag(coder, counters[l.zero + (e.exponent_bits != 0 ? cls >> 1 : cls) * kZeroContexts + zero_context], given != base, kValueLimit);
  memory.last = memory.last << 1 | changed;
  if (changed == 0) {
    memory.activity -= memory.activity >> 5;
    return base;
  }
  memory.activity += (65536 - memory.activity) >> 5;
  return code_change<kProfile>(e, coder, counters, memory, traits, base, given);
}

}  // namespace hone::delta
