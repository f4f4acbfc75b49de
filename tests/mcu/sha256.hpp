// SHA-256 (FIPS 180-4) in the smallest plain form, for targets without a library or an accelerator of
// their own. Freestanding.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace hone::mcu {

class Sha256 {
 public:
  void add(const uint8_t* bytes, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      block_[count_++ & 63u] = bytes[i];
      if ((count_ & 63u) == 0) take();
    }
  }
  void end(uint8_t* digest) {
    const uint64_t bits = count_ * 8;
    const uint8_t one = 0x80;
    const uint8_t zero = 0;
    add(&one, 1);
    while ((count_ & 63u) != 56) add(&zero, 1);
    for (int i = 7; i >= 0; --i) {
      const auto byte = static_cast<uint8_t>(bits >> (8 * i));
      add(&byte, 1);
    }
    for (int i = 0; i < 32; ++i) digest[i] = static_cast<uint8_t>(hash_[i / 4] >> (24 - 8 * (i % 4)));
  }

 private:
  static uint32_t turn(uint32_t x, uint32_t by) { return x >> by | x << (32 - by); }
  void take();

  uint32_t hash_[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint8_t block_[64] = {};
  uint64_t count_ = 0;
};

inline void Sha256::take() {
  static constexpr uint32_t kRound[64] = {
      0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
      0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
      0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
      0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
      0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
      0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
      0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
  uint32_t word[16];
  uint32_t h[8];
  for (int i = 0; i < 8; ++i) h[i] = hash_[i];
  for (uint32_t i = 0; i < 64; ++i) {
    uint32_t& w = word[i & 15u];
    if (i < 16) {
      const uint8_t* at = block_ + 4 * i;
      w = static_cast<uint32_t>(at[0]) << 24 | static_cast<uint32_t>(at[1]) << 16 | static_cast<uint32_t>(at[2]) << 8 | at[3];
    } else {
      const uint32_t a = word[(i + 1) & 15u];
      const uint32_t b = word[(i + 14) & 15u];
      w += (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + word[(i + 9) & 15u] + (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    }
    const uint32_t sum = h[7] + (turn(h[4], 6) ^ turn(h[4], 11) ^ turn(h[4], 25)) + ((h[4] & h[5]) ^ (~h[4] & h[6])) +
                         kRound[i] + w;
    const uint32_t major = (turn(h[0], 2) ^ turn(h[0], 13) ^ turn(h[0], 22)) + ((h[0] & h[1]) ^ (h[0] & h[2]) ^ (h[1] & h[2]));
    for (int k = 7; k > 0; --k) h[k] = h[k - 1];
    h[4] += sum;
    h[0] = sum + major;
  }
  for (int i = 0; i < 8; ++i) hash_[i] += h[i];
}

}  // namespace hone::mcu
