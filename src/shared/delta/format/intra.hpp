// Coding of one tensor element alone: for tensors that the base has nothing like.
#pragma once

#include <stdint.h>

#include "shared/delta/format/elements.hpp"
#include "shared/delta/format/inlining.hpp"
#include "shared/delta/format/models.hpp"

namespace hone::delta {

// Codes `given` with no base: exponent under the recent scale, sign raw, three mantissa bits
// modelled, the rest raw down to the `zero_bits` that are zero. Integers: bit length under the recent scale, sign, the bits below.
template <Profile kProfile, class E, class C>
HONE_DELTA_INLINE uint64_t code_intra(const E& e, C& coder, Counter* counters, ValueMemory& memory,
                                      uint32_t top_exponent, uint32_t zero_bits, uint64_t given) {
  constexpr Dimensions d = dimensions(kProfile);
  constexpr Layout l = kLayout<kProfile>;
  const int32_t scale = memory.scale >> 7;  // half steps
  const uint32_t context = d.intra_scales == 1 ? 0 : static_cast<uint32_t>(scale < 0 ? 0 : scale > 7 ? 7 : scale);
  Counter* exponents = counters + l.exponent + context * 64;
  if (e.exponent_bits != 0) {
    // 31 stands for zero, as a pruned weight is, and for what lies far below the top.
    const uint32_t given_below = (top_exponent - e.exponent(given)) & 255u;
    uint32_t below = code_tree(coder, exponents, 5, given_below < 31 && given != 0 ? given_below : 31, kValueLimit);
    if (below == 31) {
      if (coder.bit(exponents[0], given == 0 ? 1u : 0u, kValueLimit) != 0) return 0;
      below = coder.raw(given_below, 8);
    }
    memory.scale += ((static_cast<int32_t>(below < 24 ? below : 24) << 8) - memory.scale) >> 5;
    const uint64_t exponent = (top_exponent - below) & ((1u << e.exponent_bits) - 1u);
    const uint32_t cls = below < d.classes ? below : d.classes - 1;
    const uint32_t modelled = e.mantissa_bits < 4 ? e.mantissa_bits : 4;
    const uint32_t rest = e.mantissa_bits - modelled;
    const uint64_t sign = coder.raw(static_cast<uint32_t>(given >> (e.bits - 1)) & 1u, 1);
    uint64_t mantissa = code_tree(coder, counters + l.intra_top + cls * 16, modelled,
                                  static_cast<uint32_t>(given >> rest) & ((1u << modelled) - 1u), kValueLimit);
    const uint32_t raw_bits = rest - zero_bits;
    const uint64_t raw = code_raw(coder, given >> zero_bits & ((uint64_t{1} << raw_bits) - 1), raw_bits);
    mantissa = mantissa << rest | raw << zero_bits;
    return sign << (e.bits - 1) | exponent << e.mantissa_bits | mantissa;
  } else {
    const bool negative = !e.is_unsigned && (given & e.sign) != 0;
    const uint64_t value = e.is_unsigned ? given : negative ? (~given + 1) & e.mask : given;
    const uint32_t length = code_tree(coder, exponents, e.length_depth + 1, bit_length(value), kValueLimit);
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
    return (down != 0 ? ~out + 1 : out) & e.mask;
  }
}

}  // namespace hone::delta
