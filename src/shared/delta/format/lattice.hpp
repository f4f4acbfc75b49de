// Coding of an fp32 tensor that lies on its base's lattice: each element is the base's plus k * 2^-s, in
// one fp32 addition. k does not depend on the size of the base's value, since the step is the same
// everywhere; how often it is zero and how large it is shows in the elements before.
#pragma once

#include <stdint.h>

#include "shared/delta/format/float_add.hpp"
#include "shared/delta/format/inlining.hpp"
#include "shared/delta/format/models.hpp"
#include "shared/delta/format/residual.hpp"

namespace hone::delta {

// What k does to an element. False: damaged.
inline bool move_by_steps(uint32_t base, int64_t k, int32_t s, uint32_t& target) {
  target = base;
  if (k == 0) return true;
  if (k > kStepsMax || k < -kStepsMax || !is_finite_f32(base)) return false;
  target = add_steps_f32(base, static_cast<int32_t>(k), s);
  return true;
}

// Codes a k, or what a prediction of it missed, that is not zero. At most 32 bits.
template <Profile kProfile, class C>
HONE_DELTA_INLINE int64_t code_steps(C& coder, Counter* counters, ValueMemory& memory, int64_t given) {
  constexpr Dimensions d = dimensions(kProfile);
  constexpr Layout l = kLayout<kProfile>;
  const uint32_t down = coder.bit(counters[l.step_sign + memory.last_sign], given < 0, kValueLimit);
  memory.last_sign = 1 + down;
  const uint32_t size = static_cast<uint32_t>(given < 0 ? -given : given);
  const uint32_t scale = static_cast<uint32_t>(memory.scale) >> 7;  // half octaves
  const uint32_t level = scale < d.step_levels ? scale : d.step_levels - 1;
  Counter* lengths = counters + l.step_length + level * kLengths;
  uint32_t length = 0;
  if (code_flag(coder, lengths[0], size != 1, kValueLimit) != 0)
    length = code_tree(coder, lengths, 5, bit_length(size) - 1, kValueLimit);
  memory.scale += ((static_cast<int32_t>(length) << 8) - memory.scale) >> 4;
  const uint32_t modelled = length < 3 ? length : 3;
  const uint32_t rest = length - modelled;
  Counter* top = counters + l.step_top + (length < 7 ? length : 7) * 8;
  uint32_t out = 1u << modelled;
  out |= code_tree(coder, top, modelled, size >> rest & ((1u << modelled) - 1u), kValueLimit);
  out = out << rest | static_cast<uint32_t>(code_raw(coder, size & ((1u << rest) - 1u), rest));
  return down != 0 ? -static_cast<int64_t>(out) : static_cast<int64_t>(out);
}

// Codes a k of which a flag says whether it is zero.
template <Profile kProfile, class C>
HONE_DELTA_INLINE int64_t code_flag_and_steps(C& coder, Counter* counters, ValueMemory& memory, int64_t given) {
  constexpr Layout l = kLayout<kProfile>;
  const uint32_t context = activity_level(memory.activity) * 4 + (memory.last & 3u);
  const uint32_t moved = code_flag(coder, counters[l.step_zero + context], given != 0, kValueLimit);
  memory.last = memory.last << 1 | moved;
  if (moved == 0) {
    memory.activity -= memory.activity >> 5;
    return 0;
  }
  memory.activity += (65536 - memory.activity) >> 5;
  return code_steps<kProfile>(coder, counters, memory, given);
}

}  // namespace hone::delta
