#include "shared/trust/envelope.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "shared/trust/canonical_json.hpp"

namespace hone::trust {
namespace {

constexpr std::size_t kKeyIdBytesMax = 128;

Result<Signature> signature_from(const Json& json) {
  Signature signature;
  HONE_TRY(signature.key.value, get_string(json, "keyid"));
  HONE_TRY(const std::string hex, get_string(json, "sig"));
  if (signature.key.value.size() > kKeyIdBytesMax) return fail(Code::invalid, "a key id is longer than 128 characters");
  if (auto value = from_hex(hex); value && value->size() == kSignatureBytes) signature.value = std::move(*value);
  return signature;
}

}  // namespace

Result<Envelope> envelope_from(ByteView bytes) {
  HONE_TRY(Json json, parse_strict_json(bytes));
  HONE_TRY(const Json* signatures, get_array(json, "signatures"));
  HONE_TRY(const Json* content, get_object(json, "signed"));
  if (signatures->size() > kSignaturesMax) return fail(Code::invalid, "more than 1024 signatures");
  Envelope envelope;
  std::set<KeyId> seen;
  for (const Json& item : *signatures) {
    HONE_TRY(Signature signature, signature_from(item));
    if (!seen.insert(signature.key).second) return fail(Code::invalid, "two signatures with one key id");
    envelope.signatures.push_back(std::move(signature));
  }
  HONE_TRY(envelope.canonical_content, canonical_json(*content));
  envelope.content = std::move(json["signed"]);
  return envelope;
}

Result<Bytes> sign(const Json& content, std::span<const SigningKey> keys) {
  HONE_TRY(const std::string message, canonical_json(content));
  Json signatures = Json::array();
  for (const SigningKey& key : keys) {
    signatures.push_back({{"keyid", key.id().value}, {"sig", to_hex(key.sign(as_bytes(message)))}});
  }
  return dump_bytes({{"signatures", std::move(signatures)}, {"signed", content}});
}

Result<> check_threshold(const Envelope& envelope, const RoleKeys& role, const std::map<KeyId, PublicKey>& keys,
                         std::string_view role_name) {
  std::set<Bytes> signers;  // by the key's bytes: hex digits may be of either case
  for (const Signature& signature : envelope.signatures) {
    if (std::find(role.keys.begin(), role.keys.end(), signature.key) == role.keys.end()) continue;
    const auto key = keys.find(signature.key);
    if (key == keys.end()) continue;
    if (!is_signed_by(key->second, as_bytes(envelope.canonical_content), signature.value)) continue;
    if (auto bytes = from_hex(key->second.public_value)) signers.insert(std::move(*bytes));
  }
  // A threshold below one is refused by the parser; it is not relied on here.
  if (role.threshold >= 1 && std::cmp_greater_equal(signers.size(), role.threshold)) return {};
  return fail(Code::untrusted, std::string(role_name) + " metadata is signed by " + std::to_string(signers.size()) +
                                   " of the keys that may, and " + std::to_string(role.threshold) + " must sign");
}

}  // namespace hone::trust
