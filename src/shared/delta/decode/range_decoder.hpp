// The decoding half of a 32-bit binary range coder (Martin 1979; Subbotin; as in the LZMA SDK's
// published description). Reads from memory without checks: the caller makes sure that a step's
// bytes are there.
#pragma once

#include <stdint.h>

#include "shared/delta/format/counter.hpp"
#include "shared/delta/format/inlining.hpp"

namespace hone::delta {

struct RangeDecoder {
  const uint8_t* next = nullptr;
  uint32_t range = 0xFFFFFFFFu;
  uint32_t code = 0;
  uint32_t bad = 0;  // a raw value that no encoder makes

  // A bit leaves at least 2^8 of the range, a raw number too: at most two bytes.
  HONE_DELTA_INLINE void normalize() {
    if (range < (1u << 24)) {
      range <<= 8;
      code = code << 8 | *next++;
      if (range < (1u << 24)) {
        range <<= 8;
        code = code << 8 | *next++;
      }
    }
  }
  HONE_DELTA_INLINE uint32_t bit(Counter& counter, uint32_t, uint32_t limit) {
    const uint32_t bit = probable(counter.p16(), 0);
    counter.update(bit, limit);
    return bit;
  }
  // The bit is 1 with p16 in 65536.
  HONE_DELTA_INLINE uint32_t probable(uint32_t p16, uint32_t) {
    const uint32_t bound = (range >> 16) * p16;
    const uint32_t bit = code < bound ? 1u : 0u;
    const uint32_t when_zero = bit - 1u;  // all ones
    range = bound + ((range - bound - bound) & when_zero);
    code -= bound & when_zero;
    normalize();
    return bit;
  }
#ifndef __OPTIMIZE_SIZE__
  // A bit on which a branch follows: the branch comes here, and what follows runs ahead on its prediction.
  HONE_DELTA_INLINE uint32_t flag(Counter& counter, uint32_t limit) {
    const uint32_t bound = (range >> 16) * counter.p16();
    if (code < bound) {
      range = bound;
      counter.update(1, limit);
      normalize();
      return 1;
    }
    code -= bound;
    range -= bound;
    counter.update(0, limit);
    normalize();
    return 0;
  }
  // code_tree() with both children of a node loaded, as one word, before it is known which is next: the
  // load is the longest link of the chain from bit to bit.
  HONE_DELTA_INLINE uint32_t tree(Counter* nodes, uint32_t depth, uint32_t limit) {
    if (depth == 0) return 0;
    uint32_t node = 1;
    Counter here = nodes[1];
    for (uint32_t i = depth; --i > 0;) {
      const uint64_t children = static_cast<uint64_t>(nodes[2 * node + 1].state) << 32 | nodes[2 * node].state;
      const uint32_t bit = probable(here.p16(), 0);
      here.update(bit, limit);
      nodes[node] = here;
      node = node << 1 | bit;
      here.state = static_cast<uint32_t>(children >> (32 * bit));
    }
    const uint32_t bit = probable(here.p16(), 0);
    here.update(bit, limit);
    nodes[node] = here;
    return (node << 1 | bit) - (1u << depth);
  }
#endif
  // Up to 16 bits.
  HONE_DELTA_INLINE uint32_t raw(uint32_t, uint32_t count) {
    range >>= count;
    if (__builtin_constant_p(count) && count == 1) {
      const uint32_t bit = code >= range ? 1u : 0u;
      code -= range & (0u - bit);
      if (code >= range) bad = 1, code = 0;
      normalize();
      return bit;
    }
    uint32_t value = code / range;
    if (value >> count != 0) {
      bad = 1;
      value = 0;
    }
    code -= value * range;
    normalize();
    return value;
  }
};

}  // namespace hone::delta
