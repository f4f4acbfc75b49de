#include "base/hash.hpp"

#include <sodium.h>
#include <zlib.h>

#include <algorithm>

namespace hone {

static_assert(crypto_hash_sha256_BYTES == 32);

Result<Sha256> Sha256::from_hex(std::string_view hex) {
  if (hex.size() != 64) return fail(Code::invalid, "a SHA-256 needs 64 hexadecimal digits");
  HONE_TRY(const Bytes raw, hone::from_hex(hex));
  Sha256 hash;
  std::copy(raw.begin(), raw.end(), hash.bytes.begin());
  return hash;
}

Sha256 sha256(ByteView bytes) {
  Sha256 hash;
  crypto_hash_sha256(hash.bytes.data(), bytes.data(), bytes.size());
  return hash;
}

struct Sha256Stream::State {
  crypto_hash_sha256_state sodium;
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) {
  crypto_hash_sha256_init(&state_->sodium);
}
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;

void Sha256Stream::update(ByteView bytes) {
  crypto_hash_sha256_update(&state_->sodium, bytes.data(), bytes.size());
}

Sha256 Sha256Stream::finish() {
  Sha256 hash;
  crypto_hash_sha256_final(&state_->sodium, hash.bytes.data());
  return hash;
}

std::uint32_t crc32(ByteView bytes, std::uint32_t seed) {
  if (bytes.empty()) return seed;  // zlib takes a null pointer for "start anew"
  return static_cast<std::uint32_t>(::crc32_z(seed, bytes.data(), bytes.size()));
}

}  // namespace hone
