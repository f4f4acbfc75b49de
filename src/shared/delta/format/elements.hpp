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
[[nodiscard]] constexpr uint32_t width_log2_of(TypeInfo info) { return info.width == 8 ? 3 : info.width >> 1; }
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

// What the coder does with an element, over what `Known` knows of its type: at compile time (Element) or
// at run time (AnyElement), one source for both.
template <class Known>
struct ElementFunctions {
  // Little-endian, any alignment.
  [[nodiscard]] HONE_DELTA_INLINE uint64_t load(const uint8_t* bytes) const {
    uint64_t value = 0;
    __builtin_memcpy(&value, bytes, of().width);
    return value;
  }
  HONE_DELTA_INLINE void store(uint8_t* bytes, uint64_t value) const { __builtin_memcpy(bytes, &value, of().width); }

  [[nodiscard]] HONE_DELTA_INLINE uint64_t to_ordered(uint64_t raw) const {
    if (of().exponent_bits == 0) return raw;
    return (raw & of().sign) != 0 ? ~raw & of().mask : raw | of().sign;
  }
  [[nodiscard]] HONE_DELTA_INLINE uint64_t from_ordered(uint64_t ordered) const {
    if (of().exponent_bits == 0) return ordered;
    return (ordered & of().sign) != 0 ? ordered ^ of().sign : ~ordered & of().mask;
  }
  [[nodiscard]] HONE_DELTA_INLINE uint32_t exponent(uint64_t raw) const {
    return static_cast<uint32_t>(raw >> of().mantissa_bits) & ((1u << of().exponent_bits) - 1u);
  }
  // The two bits below the leading one: a value's place in its octave.
  [[nodiscard]] HONE_DELTA_INLINE uint32_t mantissa_top(uint64_t raw) const {
    return of().mantissa_bits < 2 ? 0 : static_cast<uint32_t>(raw >> (of().mantissa_bits - 2)) & 3u;
  }
  [[nodiscard]] HONE_DELTA_INLINE bool negative(uint64_t raw) const {
    if (of().is_unsigned) return raw < of().sign;  // zero points stand in the middle
    return (raw & of().sign) != 0;
  }
  // How large the base value is, 0 the largest for floats (`top` is the tensor's largest
  // exponent), the bit length for integers.
  [[nodiscard]] HONE_DELTA_INLINE uint32_t magnitude_class(uint64_t raw, uint32_t top, uint32_t classes) const {
    uint32_t magnitude = 0;
    if (of().exponent_bits != 0) {
      const uint32_t e = exponent(raw);
      magnitude = top > e ? top - e : 0;
    } else {
      uint64_t size = raw;
      if (of().is_unsigned) size = raw >= of().sign ? raw - of().sign : of().sign - raw;
      else if ((raw & of().sign) != 0) size = (~raw + 1) & of().mask;
      magnitude = bit_length(size);
    }
    return magnitude < classes ? magnitude : classes - 1;
  }

 private:
  [[nodiscard]] constexpr const Known& of() const { return static_cast<const Known&>(*this); }
};

template <Type kType>
struct Element : ElementFunctions<Element<kType>> {
  static constexpr TypeInfo info = info_of(kType);
  static constexpr uint32_t width = info.width;
  static constexpr uint32_t width_log2 = width_log2_of(info);
  static constexpr uint32_t bits = width * 8u;
  static constexpr uint32_t exponent_bits = info.exponent_bits;
  static constexpr bool is_unsigned = info.is_unsigned != 0;
  static constexpr uint32_t mantissa_bits = exponent_bits == 0 ? 0 : bits - 1 - exponent_bits;
  static constexpr uint64_t mask = ~uint64_t{0} >> (64 - bits);
  static constexpr uint64_t sign = uint64_t{1} << (bits - 1);
  static constexpr uint32_t length_depth = width_log2 + 3;  // of the tree of bit lengths less one
};

// One piece of code for all types, where space counts more than time.
struct AnyElement : ElementFunctions<AnyElement> {
  explicit AnyElement(Type type)
      : AnyElement(info_of(type)) {}
  explicit AnyElement(TypeInfo info)
      : width(info.width),
        width_log2(width_log2_of(info)),
        bits(width * 8),
        exponent_bits(info.exponent_bits),
        is_unsigned(info.is_unsigned != 0),
        mantissa_bits(exponent_bits == 0 ? 0 : bits - 1 - exponent_bits),
        mask(~uint64_t{0} >> (64 - bits)),
        sign(uint64_t{1} << (bits - 1)),
        length_depth(width_log2 + 3) {}
  uint32_t width;
  uint32_t width_log2;
  uint32_t bits;
  uint32_t exponent_bits;
  bool is_unsigned;
  uint32_t mantissa_bits;
  uint64_t mask;
  uint64_t sign;
  uint32_t length_depth;
};

}  // namespace hone::delta
