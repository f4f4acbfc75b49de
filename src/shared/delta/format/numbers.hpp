// How numbers are coded with adaptive binary counters. A coder C is either the range decoder,
// which returns the bit, the range encoder, which returns the bit that it was given, or the
// cost counter. One source for all of them: what is encoded is what is decoded.
//   uint32_t C::bit(Counter&, uint32_t bit, uint32_t limit);   modelled
//   uint32_t C::probable(uint32_t p16, uint32_t bit);               a bit of known probability
//   uint32_t C::raw(uint32_t bits, uint32_t count);            equal probabilities, count <= 16
#pragma once

#include <stdint.h>

#include "shared/delta/format/counter.hpp"
#include "shared/delta/format/inlining.hpp"

namespace hone::delta {

[[nodiscard]] inline uint32_t bit_length(uint64_t value) {
  return value == 0 ? 0 : 64u - static_cast<uint32_t>(__builtin_clzll(value));
}

// A 32-bit CPU has no instruction for it, and a library's division is large. `by` below 2^31.
[[nodiscard]] constexpr uint32_t remainder_of(uint64_t value, uint32_t by) {
  if constexpr (sizeof(void*) > 4) return static_cast<uint32_t>(value % by);
  uint32_t rest = 0;
  for (uint32_t i = 64; i-- > 0;) {
    rest = rest << 1 | static_cast<uint32_t>(value >> i & 1u);
    if (rest >= by) rest -= by;
  }
  return rest;
}

// One bit, on which a branch follows.
template <class C>
HONE_DELTA_INLINE uint32_t code_flag(C& coder, Counter& counter, uint32_t bit, uint32_t limit) {
  if constexpr (requires { coder.flag(counter, limit); }) return coder.flag(counter, limit);
  return coder.bit(counter, bit, limit);
}

// `depth` bits, highest first; nodes[1 .. 2^depth - 1].
template <class C>
HONE_DELTA_INLINE uint32_t code_tree(C& coder, Counter* nodes, uint32_t depth, uint32_t value, uint32_t limit) {
  if constexpr (requires { coder.tree(nodes, depth, limit); }) return coder.tree(nodes, depth, limit);
  uint32_t node = 1;
  for (uint32_t i = depth; i-- > 0;) node = node << 1 | coder.bit(nodes[node], value >> i & 1u, limit);
  return node - (1u << depth);
}

// Any number of raw bits up to 64.
template <class C>
HONE_DELTA_INLINE uint64_t code_raw(C& coder, uint64_t value, uint32_t count) {
  uint64_t out = 0;
  if (count == 0) return 0;
  while (count > 16) {
    count -= 16;
    out = out << 16 | coder.raw(static_cast<uint32_t>(value >> count & 0xFFFFu), 16);
  }
  return out << count | coder.raw(static_cast<uint32_t>(value & ((1u << count) - 1u)), count);
}

// Numbers of any size below 2^63: bit length of value + 1 in a tree, the three bits below the
// leading one modelled, the rest raw.
inline constexpr uint32_t kNumberCounters = 64 + 40;
inline constexpr uint8_t kNumberTop[8] = {64, 64, 65, 68, 75, 82, 89, 96};  // trees of depth 0, 1, 2 and 3, packed
template <class C>
HONE_DELTA_INLINE uint64_t code_number(C& coder, Counter* nodes, uint64_t value, uint32_t limit) {
  const uint64_t given = value + 1;
  const uint32_t length = code_tree(coder, nodes, 6, bit_length(given) - 1, limit);  // bits below the leading one
  Counter* top = nodes + kNumberTop[length < 7 ? length : 7];
  const uint32_t modelled = length < 3 ? length : 3;
  uint64_t out = uint64_t{1} << modelled;
  out |= code_tree(coder, top, modelled, static_cast<uint32_t>(given >> (length - modelled)) & ((1u << modelled) - 1u), limit);
  const uint32_t rest = length - modelled;
  out = out << rest | code_raw(coder, given & ((uint64_t{1} << rest) - 1), rest);
  return out - 1;
}

}  // namespace hone::delta
