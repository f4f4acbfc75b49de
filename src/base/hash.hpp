// SHA-256 (FIPS 180-4), the one content hash of hone, and CRC-32 for torn writes.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace hone {

struct Sha256 {
  std::array<std::uint8_t, 32> bytes{};

  [[nodiscard]] std::string hex() const { return to_hex(bytes); }
  [[nodiscard]] static Result<Sha256> from_hex(std::string_view hex);
  friend auto operator<=>(const Sha256&, const Sha256&) = default;
};

[[nodiscard]] Sha256 sha256(ByteView bytes);

// For bytes that arrive in pieces.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;
  void update(ByteView bytes);
  [[nodiscard]] Sha256 finish();  // once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// CRC-32 as in RFC 1952: finds torn and rotten bytes, proves nothing against an adversary.
[[nodiscard]] std::uint32_t crc32(ByteView bytes, std::uint32_t seed = 0);

}  // namespace hone
