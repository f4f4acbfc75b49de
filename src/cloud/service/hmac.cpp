#include "cloud/service/hmac.hpp"

#include <algorithm>
#include <array>

namespace hone::cloud {

Sha256 hmac_sha256(ByteView key, ByteView message) {
  constexpr std::size_t kBlock = 64;
  std::array<std::uint8_t, kBlock> padded{};
  if (key.size() > kBlock) {
    const Sha256 hash = sha256(key);
    std::copy(hash.bytes.begin(), hash.bytes.end(), padded.begin());
  } else {
    std::copy(key.begin(), key.end(), padded.begin());
  }
  std::array<std::uint8_t, kBlock> inner{}, outer{};
  for (std::size_t i = 0; i < kBlock; ++i) {
    inner[i] = padded[i] ^ 0x36;
    outer[i] = padded[i] ^ 0x5c;
  }
  Sha256Stream first;
  first.update(inner);
  first.update(message);
  const Sha256 digest = first.finish();
  Sha256Stream second;
  second.update(outer);
  second.update(digest.bytes);
  return second.finish();
}

bool equal_in_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace hone::cloud
