// Coding of an fp32 tensor whose steps are a product of two thin integer matrices:
// k[i][j] = (sum over r of U[i][r] * V[r][j]) >> shift, and what that misses is corrected element by
// element. V comes first and is held in memory, the rows of U come each before its row of elements.
#pragma once

#include <stdint.h>

#include "shared/delta/format/models.hpp"
#include "shared/delta/format/operations.hpp"

namespace hone::delta {

// Where V, behind it a row of U, lie while such an operation lasts: in the place of counters that plain
// bytes are coded with, which start anew afterwards.
template <Profile kProfile>
inline constexpr uint32_t kFactorsAt = kProfile == Profile::small ? kLayout<Profile::small>.literal : kLayout<Profile::standard>.second;

[[nodiscard]] inline int32_t load_factor(const uint8_t* factors, uint64_t at, bool wide) {
  if (!wide) return static_cast<int8_t>(factors[at]);
  return static_cast<int16_t>(static_cast<uint16_t>(factors[2 * at] | factors[2 * at + 1] << 8));
}
inline void store_factor(uint8_t* factors, uint64_t at, bool wide, int32_t value) {
  if (!wide) {
    factors[at] = static_cast<uint8_t>(value);
  } else {
    factors[2 * at] = static_cast<uint8_t>(value);
    factors[2 * at + 1] = static_cast<uint8_t>(value >> 8);
  }
}

// A factor of V (`is_u` 0) or U (1), for the component `r`. False: damaged.
template <Profile kProfile, class C>
inline bool code_factor(C& coder, Counter* counters, const LowRank& shape, uint32_t is_u, uint32_t r, int32_t& factor) {
  constexpr Dimensions d = dimensions(kProfile);
  constexpr Layout l = kLayout<kProfile>;
  const uint32_t component = r < d.factor_components ? r : d.factor_components - 1;
  Counter* nodes = counters + l.factor + (is_u * d.factor_components + component) * kFactorCounters;
  if (coder.bit(nodes[0], factor != 0, kValueLimit) == 0) {
    factor = 0;
    return true;
  }
  const uint32_t down = coder.bit(nodes[16], factor < 0, kValueLimit);
  const uint32_t size = static_cast<uint32_t>(factor < 0 ? -factor : factor);
  const uint32_t length = code_tree(coder, nodes, 4, bit_length(size) - 1, kValueLimit);
  const uint32_t modelled = length < 2 ? length : 2;
  const uint32_t rest = length - modelled;
  uint32_t out = 1u << modelled;
  out |= code_tree(coder, nodes + 17 + (length < 7 ? length : 7) * 4, modelled, size >> rest & ((1u << modelled) - 1u), kValueLimit);
  out = out << rest | coder.raw(size & ((1u << rest) - 1u), rest);
  factor = down != 0 ? -static_cast<int32_t>(out) : static_cast<int32_t>(out);
  return shape.wide ? factor >= -32768 && factor <= 32767 : factor >= -128 && factor <= 127;
}

// k[i][j] with row i of U behind V in `factors`.
[[nodiscard]] inline int64_t product(const uint8_t* factors, const LowRank& shape, uint32_t column) {
  const uint64_t u = static_cast<uint64_t>(shape.rank) * shape.columns;
  int64_t sum = 0;  // at most 32 products of 30 bits
  for (uint32_t r = 0; r < shape.rank; ++r)
    sum += static_cast<int64_t>(load_factor(factors, u + r, shape.wide)) *
           load_factor(factors, static_cast<uint64_t>(r) * shape.columns + column, shape.wide);
  return sum >> shape.shift;
}

}  // namespace hone::delta
