// Element types: how their bytes become integers whose order is the order of the values, so that
// a small change of a weight is a small difference. For floats the sign bit is flipped, or all
// bits for negative ones.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "shared/delta/format/format.hpp"
#include "shared/delta/format/inlining.hpp"
#include "shared/delta/format/numbers.hpp"

namespace hone::delta {

struct TypeInfo {
  uint8_t width;          // bytes
  uint8_t exponent_bits;  // 0: an integer
  uint8_t is_unsigned;
};
[[nodiscard]] constexpr TypeInfo info_of(Type type) {
  switch (type) {
    case Type::f32: return {4, 8, 0};
    case Type::f16: return {2, 5, 0};
    case Type::bf16: return {2, 8, 0};
    case Type::f64: return {8, 11, 0};
    case Type::i8: return {1, 0, 0};
    case Type::u8: return {1, 0, 1};
    case Type::i16: return {2, 0, 0};
    case Type::i32: return {4, 0, 0};
    case Type::count: break;
  }
  return {1, 0, 0};
}

// The mantissa's highest four bits are always modelled.
[[nodiscard]] constexpr uint32_t zero_bits_max(TypeInfo info) {
  const uint32_t mantissa_bits = info.width * 8u - 1 - info.exponent_bits;
  return info.exponent_bits == 0 || mantissa_bits < 4 ? 0 : mantissa_bits - 4;
}

// Little-endian, any alignment.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "elements are loaded as they lie in memory");
template <uint32_t kWidth>
[[nodiscard]] HONE_DELTA_INLINE uint64_t load_element(const uint8_t* bytes) {
  uint64_t value = 0;
  __builtin_memcpy(&value, bytes, kWidth);
  return value;
}
template <uint32_t kWidth>
HONE_DELTA_INLINE void store_element(uint8_t* bytes, uint64_t value) {
  __builtin_memcpy(bytes, &value, kWidth);
}

// What the coder needs to know of a type, at compile time.
template <Type kType>
struct Element {
  static constexpr TypeInfo info = info_of(kType);
  static constexpr uint32_t width = info.width;
  static constexpr uint32_t bits = width * 8u;
  static constexpr uint32_t exponent_bits = info.exponent_bits;
  static constexpr uint32_t mantissa_bits = exponent_bits == 0 ? 0 : bits - 1 - exponent_bits;
  static constexpr uint64_t mask = bits == 64 ? ~uint64_t{0} : (uint64_t{1} << (bits & 63u)) - 1;
  static constexpr uint64_t sign = uint64_t{1} << (bits - 1);
  // Bits of a bit length less one: log2 of the width in bits.
  static constexpr uint32_t length_depth = bits == 8 ? 3 : bits == 16 ? 4 : bits == 32 ? 5 : 6;

  static constexpr uint32_t zero_class_shift = exponent_bits == 0 ? 0 : 1;

  [[nodiscard]] static uint64_t to_ordered(uint64_t raw) {
    if constexpr (exponent_bits == 0) return raw;
    return (raw & sign) != 0 ? ~raw & mask : raw | sign;
  }
  [[nodiscard]] static uint64_t from_ordered(uint64_t ordered) {
    if constexpr (exponent_bits == 0) return ordered;
    return (ordered & sign) != 0 ? ordered ^ sign : ~ordered & mask;
  }
  [[nodiscard]] static uint32_t exponent(uint64_t raw) {
    return static_cast<uint32_t>(raw >> mantissa_bits) & ((1u << exponent_bits) - 1u);
  }
  // The two bits below the leading one: a value's place in its octave.
  [[nodiscard]] static uint32_t mantissa_top(uint64_t raw) {
    if constexpr (mantissa_bits < 2) {
      return 0;
    } else {
      return static_cast<uint32_t>(raw >> (mantissa_bits - 2)) & 3u;
    }
  }
  [[nodiscard]] static bool negative(uint64_t raw) {
    if constexpr (info.is_unsigned != 0) return raw < sign;  // zero points stand in the middle
    return (raw & sign) != 0;
  }
  // How large the base value is, 0 the largest for floats (`top` is the tensor's largest
  // exponent), the bit length for integers.
  [[nodiscard]] static uint32_t magnitude_class(uint64_t raw, uint32_t top, uint32_t classes) {
    if constexpr (exponent_bits != 0) {
      const uint32_t e = exponent(raw);
      const uint32_t below = top > e ? top - e : 0;
      return below < classes ? below : classes - 1;
    } else {
      uint64_t size = raw;
      if constexpr (info.is_unsigned != 0) size = raw >= sign ? raw - sign : sign - raw;
      else if ((raw & sign) != 0) size = (~raw + 1) & mask;
      const uint32_t length = bit_length(size);
      return length < classes ? length : classes - 1;
    }
  }
};

}  // namespace hone::delta
