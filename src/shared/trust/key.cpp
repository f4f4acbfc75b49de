#include "shared/trust/key.hpp"

#include <sodium.h>

#include "base/hash.hpp"
#include "shared/trust/canonical_json.hpp"

namespace hone::trust {
namespace {

constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kPublicValueBytesMax = 8192;  // an RSA key in PEM fits

static_assert(kSeedBytes == crypto_sign_SEEDBYTES);
static_assert(kPublicKeyBytes == crypto_sign_PUBLICKEYBYTES);
static_assert(kSignatureBytes == crypto_sign_BYTES);

}  // namespace

Json to_json(const PublicKey& key) {
  return {{"keytype", key.keytype}, {"scheme", key.scheme}, {"keyval", {{"public", key.public_value}}}};
}

Result<PublicKey> public_key_from(const Json& json) {
  PublicKey key;
  HONE_TRY(key.keytype, get_string(json, "keytype"));
  HONE_TRY(key.scheme, get_string(json, "scheme"));
  HONE_TRY(const Json* value, get_object(json, "keyval"));
  HONE_TRY(key.public_value, get_string(*value, "public"));
  if (key.keytype.size() > kNameBytesMax || key.scheme.size() > kNameBytesMax ||
      key.public_value.size() > kPublicValueBytesMax) {
    return fail(Code::invalid, "a key is larger than any key that is known");
  }
  if (key.is_ed25519()) {
    const auto bytes = from_hex(key.public_value);
    if (!bytes || bytes->size() != kPublicKeyBytes) {
      return fail(Code::invalid, "an Ed25519 key must have 64 hex digits under \"public\"");
    }
  }
  return key;
}

KeyId id_of(const PublicKey& key) {
  const auto text = canonical_json(to_json(key));  // strings only: cannot fail
  return KeyId(text ? sha256(as_bytes(*text)).hex() : std::string());
}

bool is_signed_by(const PublicKey& key, ByteView message, ByteView signature) {
  if (!key.is_ed25519() || signature.size() != kSignatureBytes) return false;
  const auto bytes = from_hex(key.public_value);
  if (!bytes || bytes->size() != kPublicKeyBytes) return false;
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(), bytes->data()) == 0;
}

Result<SigningKey> SigningKey::from_seed(ByteView seed) {
  if (seed.size() != kSeedBytes) return fail(Code::invalid, "the seed of a signing key has 32 bytes");
  SigningKey key;
  std::array<std::uint8_t, kPublicKeyBytes> public_bytes{};
  crypto_sign_seed_keypair(public_bytes.data(), key.secret_.data(), seed.data());
  key.public_ = {.keytype = "ed25519", .scheme = "ed25519", .public_value = to_hex(public_bytes)};
  key.id_ = id_of(key.public_);
  return key;
}

SigningKey SigningKey::generate(Random& random) {
  std::array<std::uint8_t, kSeedBytes> seed{};
  random.fill(seed);
  auto key = from_seed(seed);
  sodium_memzero(seed.data(), seed.size());
  return std::move(*key);
}

SigningKey::~SigningKey() {
  sodium_memzero(secret_.data(), secret_.size());
}

Bytes SigningKey::seed() const {
  return {secret_.begin(), secret_.begin() + kSeedBytes};
}

Bytes SigningKey::sign(ByteView message) const {
  Bytes signature(kSignatureBytes);
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), secret_.data());
  return signature;
}

}  // namespace hone::trust
