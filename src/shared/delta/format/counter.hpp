// An adaptive binary probability: 22 bits of "the next bit is 1" and a count of what it has seen.
// The step is 1/(n + 1.5) and stops shrinking at a limit, so a counter learns fast when new and
// is precise when old. All in integers: every CPU computes the same.
#pragma once

#include <stdint.h>

namespace hone::delta {

struct Reciprocals {
  uint16_t at[256];
  constexpr Reciprocals() : at{} {
    for (uint32_t n = 0; n < 256; ++n) at[n] = static_cast<uint16_t>((2048u * 2 / (2 * n + 3) + 1) / 2);
  }
};
inline constexpr Reciprocals kReciprocals{};  // round(1024 / (n + 1.5))

struct Counter {
  uint32_t state;  // probability << 10 | count

  // 1..65535 of 65536.
  [[nodiscard]] uint32_t p16() const { return (state >> 16) | 1u; }
  void update(uint32_t bit, uint32_t limit) {
    const uint32_t count = state & 1023u;
    const uint32_t p = state >> 10;
    const uint32_t step = kReciprocals.at[count];
    const uint32_t next = bit != 0 ? p + ((0x3FFFFFu - p) * step >> 10) : p - (p * step >> 10);
    state = next << 10 | (count + (count < limit ? 1u : 0u));
  }
};
static_assert(sizeof(Counter) == 4);

inline constexpr Counter kEvenCounter{0x80000000u};
inline constexpr uint32_t kValueLimit = 255;   // weights are stationary
inline constexpr uint32_t kGenericLimit = 127;  // bytes of containers are less so

}  // namespace hone::delta
