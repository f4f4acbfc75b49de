// The decoding half of a 32-bit binary range coder (Martin 1979; Subbotin; as in the LZMA SDK's
// published description). Reads from memory without checks: the caller makes sure that a step's
// bytes are there.
#pragma once

#include <stdint.h>

#include "shared/delta/format/counter.hpp"

namespace hone::delta {

struct RangeDecoder {
  const uint8_t* next = nullptr;
  uint32_t range = 0xFFFFFFFFu;
  uint32_t code = 0;
  uint32_t bad = 0;  // a raw value that no encoder makes

  void normalize() {
    while (range < (1u << 24)) {
      range <<= 8;
      code = code << 8 | *next++;
    }
  }
  uint32_t bit(Counter& counter, uint32_t, uint32_t limit) {
    const uint32_t bit = probable(counter.p16(), 0);
    counter.update(bit, limit);
    return bit;
  }
  // The bit is 1 with p16 in 65536.
  uint32_t probable(uint32_t p16, uint32_t) {
    const uint32_t bound = (range >> 16) * p16;
    uint32_t bit;
    if (code < bound) {
      range = bound;
      bit = 1;
    } else {
      code -= bound;
      range -= bound;
      bit = 0;
    }
    normalize();
    return bit;
  }
  // Up to 16 bits.
  uint32_t raw(uint32_t, uint32_t count) {
    range >>= count;
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
