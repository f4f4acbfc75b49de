// Ed25519 keys (RFC 8032) in the form that TUF metadata gives them, through libsodium.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

namespace hone::trust {

using KeyId = Name<struct KeyIdTag>;  // for keys that hone makes: SHA-256 of the key's canonical JSON, in hex

constexpr std::size_t kSeedBytes = 32;
constexpr std::size_t kPublicKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;

struct PublicKey {
  std::string keytype;       // "ed25519"
  std::string scheme;        // "ed25519"
  std::string public_value;  // as written: 64 hex digits for Ed25519

  // A key of another scheme is kept, and never verifies anything.
  [[nodiscard]] bool is_ed25519() const { return keytype == "ed25519" && scheme == "ed25519"; }
  friend auto operator<=>(const PublicKey&, const PublicKey&) = default;
};

[[nodiscard]] Json to_json(const PublicKey& key);
[[nodiscard]] Result<PublicKey> public_key_from(const Json& json);  // invalid
[[nodiscard]] KeyId id_of(const PublicKey& key);

[[nodiscard]] bool is_signed_by(const PublicKey& key, ByteView message, ByteView signature);

// The secret half. Wiped from memory when it goes.
class SigningKey {
 public:
  [[nodiscard]] static Result<SigningKey> from_seed(ByteView seed);  // invalid unless kSeedBytes long
  [[nodiscard]] static SigningKey generate(Random& random);
  SigningKey(const SigningKey&) = default;
  SigningKey& operator=(const SigningKey&) = default;
  ~SigningKey();

  [[nodiscard]] const PublicKey& public_key() const { return public_; }
  [[nodiscard]] const KeyId& id() const { return id_; }
  [[nodiscard]] Bytes seed() const;
  [[nodiscard]] Bytes sign(ByteView message) const;

 private:
  SigningKey() = default;
  std::array<std::uint8_t, 64> secret_{};  // libsodium's form: the seed, then the public key
  PublicKey public_;
  KeyId id_;
};

}  // namespace hone::trust
