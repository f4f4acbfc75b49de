// Coding of how many elements stay as they are before the next one that changes: for tensors of
// which little changes, where a flag for each element would cost more time than the changes do.
#pragma once

#include <stdint.h>

#include "shared/delta/format/inlining.hpp"
#include "shared/delta/format/models.hpp"

namespace hone::delta {

// Symbols 0 .. 7 are runs of that length; those above begin at kRunFirst and have kRunBits bits
// below, the highest of which is modelled; the last symbol's rest is a number.
inline constexpr uint32_t kRunSymbols = 16;
inline constexpr uint32_t kRunDepth = 4;
inline constexpr uint8_t kRunFirst[kRunSymbols] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, 48, 64, 128};
inline constexpr uint8_t kRunBits[kRunSymbols] = {0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 3, 3, 4, 4, 6, 0};

[[nodiscard]] inline uint32_t run_symbol(uint64_t run) {
  if (run >= 128) return 15;
  uint32_t symbol = 14;
  while (run < kRunFirst[symbol]) --symbol;
  return symbol;
}

// Half octaves of the runs' moving mean, which has 4 fraction bits.
[[nodiscard]] inline uint32_t run_level(uint32_t mean, uint32_t levels) {
  const uint32_t length = bit_length(mean);
  const uint32_t level = length < 4 ? 0 : 2 * (length - 4) + (mean >> (length - 2) & 1u);
  return level < levels ? level : levels - 1;
}

// At most `left`; a run of all that is left ends the operation. False: damaged.
template <Profile kProfile, class C>
HONE_DELTA_INLINE bool code_run(C& coder, Counter* counters, ValueMemory& memory, uint64_t left, uint64_t& run) {
  constexpr Dimensions d = dimensions(kProfile);
  constexpr Layout l = kLayout<kProfile>;
  const uint32_t level = run_level(memory.run_mean, d.run_levels);
  const uint32_t symbol =
      code_tree(coder, counters + l.run + level * kRunSymbols, kRunDepth, run_symbol(run), kValueLimit);
  const uint64_t rest = run - kRunFirst[symbol];
  uint64_t below = 0;
  if (symbol == kRunSymbols - 1) {
    below = code_number(coder, counters + l.run_long, rest, kValueLimit);
    if (below > left) return false;
  } else if (kRunBits[symbol] != 0) {
    const uint32_t bits = kRunBits[symbol] - 1u;
    const uint32_t high = coder.bit(counters[l.run_high + symbol], static_cast<uint32_t>(rest >> bits), kValueLimit);
    below = high << bits | coder.raw(static_cast<uint32_t>(rest) & ((1u << bits) - 1u), bits);
  }
  run = kRunFirst[symbol] + below;
  const int32_t now = static_cast<int32_t>(run < 65535 ? run : 65535) << 4;
  memory.run_mean += static_cast<uint32_t>((now - static_cast<int32_t>(memory.run_mean)) >> 4);
  return run <= left;
}

}  // namespace hone::delta
