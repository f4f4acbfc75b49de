// The encoding half of the range coder, and a coder that only counts what it would cost.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "base/bytes.hpp"
#include "shared/delta/format/counter.hpp"

namespace hone::delta {

class RangeEncoder {
 public:
  explicit RangeEncoder(Bytes& out) : out_(out) {}

  std::uint32_t bit(Counter& counter, std::uint32_t bit, std::uint32_t limit) {
    (void)probable(counter.p16(), bit);
    counter.update(bit, limit);
    return bit;
  }
  std::uint32_t probable(std::uint32_t p16, std::uint32_t bit) {
    const std::uint32_t bound = (range_ >> 16) * p16;
    if (bit != 0) {
      range_ = bound;
    } else {
      low_ += bound;
      range_ -= bound;
    }
    normalize();
    return bit;
  }
  std::uint32_t raw(std::uint32_t bits, std::uint32_t count) {
    range_ >>= count;
    low_ += static_cast<std::uint64_t>(range_) * bits;
    normalize();
    return bits;
  }
  void finish() {
    for (int i = 0; i < 5; ++i) shift();
  }
  [[nodiscard]] std::uint64_t bytes() const { return out_.size() + pending_; }

 private:
  void normalize() {
    while (range_ < (1u << 24)) {
      range_ <<= 8;
      shift();
    }
  }
  // Holds back the last byte and the 0xFF bytes after it, until no carry can reach them.
  void shift() {
    if (low_ < 0xFF000000u || low_ > 0xFFFFFFFFu) {
      const auto carry = static_cast<std::uint8_t>(low_ >> 32);
      if (!first_) out_.push_back(static_cast<std::uint8_t>(cache_ + carry));
      first_ = false;
      for (; pending_ > 0; --pending_) out_.push_back(static_cast<std::uint8_t>(0xFF + carry));
      cache_ = static_cast<std::uint8_t>(low_ >> 24);
    } else {
      ++pending_;
    }
    low_ = (low_ & 0x00FFFFFFu) << 8;
  }

  Bytes& out_;
  std::uint64_t low_ = 0;
  std::uint32_t range_ = 0xFFFFFFFFu;
  std::uint64_t pending_ = 0;
  std::uint8_t cache_ = 0;
  bool first_ = true;  // the byte before the first is always zero and not written
};

// Bits in 1/256, for a probability in 1/4096.
struct CostTable {
  std::array<std::uint16_t, 4096> at{};
  CostTable() {
    for (std::size_t i = 0; i < at.size(); ++i)
      at[i] = static_cast<std::uint16_t>(std::lround(-std::log2((static_cast<double>(i) + 0.5) / 4096.0) * 256.0));
  }
};
inline const CostTable& costs() {
  static const CostTable table;
  return table;
}
[[nodiscard]] inline std::uint32_t cost_of(std::uint32_t p16, std::uint32_t bit, const CostTable& table) {
  const std::uint32_t p = p16 >> 4;
  return table.at[bit != 0 ? p : 4095 - p];
}
[[nodiscard]] inline std::uint32_t cost_of(const Counter& counter, std::uint32_t bit, const CostTable& table) {
  return cost_of(counter.p16(), bit, table);
}

class CostCoder {
 public:
  std::uint32_t bit(Counter& counter, std::uint32_t bit, std::uint32_t limit) {
    cost_ += cost_of(counter, bit, table_);
    counter.update(bit, limit);
    return bit;
  }
  std::uint32_t probable(std::uint32_t p16, std::uint32_t bit) {
    cost_ += cost_of(p16, bit, table_);
    return bit;
  }
  std::uint32_t raw(std::uint32_t bits, std::uint32_t count) {
    cost_ += count * 256u;
    return bits;
  }
  [[nodiscard]] std::uint64_t cost() const { return cost_; }  // 1/256 bit

 private:
  const CostTable& table_ = costs();
  std::uint64_t cost_ = 0;
};

}  // namespace hone::delta
