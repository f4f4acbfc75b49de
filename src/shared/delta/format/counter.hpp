// An adaptive binary probability: 22 bits of "the next bit is 1" and a count of what it has seen.
// The step is 1/(n + 1.5) and stops shrinking at a limit, so a counter learns fast when new and
// is precise when old. All in integers: every CPU computes the same.
#pragma once

#include <stdint.h>

#include "shared/delta/format/inlining.hpp"

namespace hone::delta {

// round(1024 / (n + 1.5))
[[nodiscard]] constexpr uint32_t reciprocal(uint32_t n) { return (4096 / (2 * n + 3) + 1) / 2; }

#ifdef __OPTIMIZE_SIZE__
[[nodiscard]] constexpr uint32_t step_after(uint32_t n) { return reciprocal(n); }  // a short instruction, no table
#else
struct Reciprocals {
  uint16_t at[256];
  constexpr Reciprocals() : at{} {
    for (uint32_t n = 0; n < 256; ++n) at[n] = static_cast<uint16_t>(reciprocal(n));
  }
};
inline constexpr Reciprocals kReciprocals{};
[[nodiscard]] HONE_DELTA_INLINE uint32_t step_after(uint32_t n) { return kReciprocals.at[n]; }
#endif

struct Counter {
  uint32_t state;  // probability << 10 | count

  // 1..65535 of 65536.
  [[nodiscard]] HONE_DELTA_INLINE uint32_t p16() const { return (state >> 16) | 1u; }
  // Moves p towards 0, or 0x3FFFFF - p when the bit is 1: one computation for both, no branch.
  HONE_DELTA_INLINE void update(uint32_t bit, uint32_t limit) {
    const uint32_t flip = 0x3FFFFFu & (0u - bit);
    const uint32_t count = state & 1023u;
    const uint32_t p = state >> 10 ^ flip;
    const uint32_t next = p - (p * step_after(count) >> 10);
    state = (next ^ flip) << 10 | (count + (count < limit ? 1u : 0u));
  }
};
static_assert(sizeof(Counter) == 4);

inline constexpr Counter kEvenCounter{0x80000000u};
inline constexpr uint32_t kValueLimit = 255;   // weights are stationary
inline constexpr uint32_t kGenericLimit = 127;  // what a container is made of is less so
inline constexpr uint32_t kLiteralLimit = 255;

}  // namespace hone::delta
