// The signed envelope around every piece of TUF metadata (section 4.2.1):
//
//   {"signatures": [{"keyid": "...", "sig": "<hex>"}], "signed": {...}}
//
// A signature is over the canonical JSON of "signed", as parsed, with every field that it has,
// known or not.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "shared/trust/key.hpp"

namespace hone::trust {

struct Signature {
  KeyId key;
  Bytes value;  // empty when what was written is no signature: it counts for nothing
};

// Parsed, not yet believed.
struct Envelope {
  std::vector<Signature> signatures;
  Json content;                   // "signed"
  std::string canonical_content;  // what the signatures are over
};

constexpr std::size_t kSignaturesMax = 1024;

// `invalid` when it is not strict JSON, has not this form, or names a key id twice.
[[nodiscard]] Result<Envelope> envelope_from(ByteView bytes);

// `invalid` when the content has no canonical form.
[[nodiscard]] Result<Bytes> sign(const Json& content, std::span<const SigningKey> keys);

// Which keys may sign for a role, and how many of them must.
struct RoleKeys {
  std::vector<KeyId> keys;
  std::int64_t threshold = 1;
};

// `untrusted` unless `threshold` different keys of the role signed. Keys are told apart by their
// public value, so one key listed under two ids counts once.
[[nodiscard]] Result<> check_threshold(const Envelope& envelope, const RoleKeys& role,
                                       const std::map<KeyId, PublicKey>& keys, std::string_view role_name);

}  // namespace hone::trust
