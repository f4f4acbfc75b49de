// A checksum of 64 bits for what hone itself wrote and reads again: finds torn writes and rotten
// bits, proves nothing against an adversary. Two chains of one multiplication for each four bytes,
// which a microcontroller computes as fast as it reads. Every step is a bijection of the state and of
// the word, so no change of a single word goes unseen.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace hone::delta {

class Checksum {
 public:
  // Pieces of any size; the same bytes give the same value however they are cut.
  void add(const uint8_t* bytes, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      word_ |= static_cast<uint32_t>(bytes[i]) << (8 * (count_ & 3u));
      if ((++count_ & 3u) == 0) take();
      // Whole words at once, when the place allows.
      for (; (count_ & 3u) == 0 && count - i > 4; i += 4, count_ += 4) {
        word_ = static_cast<uint32_t>(bytes[i + 1]) | static_cast<uint32_t>(bytes[i + 2]) << 8 |
                static_cast<uint32_t>(bytes[i + 3]) << 16 | static_cast<uint32_t>(bytes[i + 4]) << 24;
        take();
      }
    }
  }
  [[nodiscard]] uint64_t value() const {
    Checksum end = *this;
    end.take();
    end.word_ = end.count_;
    end.take();
    return static_cast<uint64_t>(end.a_) << 32 | end.b_;
  }

 private:
  void take() {
    a_ = (a_ ^ word_) * 0x9E3779B1u;
    a_ ^= a_ >> 15;
    b_ = (b_ + word_) * 0x85EBCA77u;
    b_ ^= b_ >> 13;
    word_ = 0;
  }

  uint32_t a_ = 0x243F6A88u;
  uint32_t b_ = 0x85A308D3u;
  uint32_t word_ = 0;
  uint32_t count_ = 0;
};

}  // namespace hone::delta
