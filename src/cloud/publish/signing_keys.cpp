#include "cloud/publish/signing_keys.hpp"

#include <array>
#include <optional>

#include "base/json.hpp"

namespace hone::cloud {
namespace {

using trust::RoleName;
using trust::SigningKey;

constexpr std::uint64_t kKeyFileBytesMax = 4096;
constexpr std::array kRoles = {RoleName::root, RoleName::targets, RoleName::snapshot, RoleName::timestamp};

std::string path_of(const std::string& folder, RoleName role) {
  return folder + "/" + std::string(trust::name_of(role)) + ".key";
}

Result<SigningKey> key_from(ByteView text) {
  HONE_TRY(const Json json, parse_json(text));
  HONE_TRY(const std::string keytype, get_string(json, "keytype"));
  HONE_TRY(const std::string scheme, get_string(json, "scheme"));
  if (keytype != "ed25519" || scheme != "ed25519") return fail(Code::invalid, "only ed25519 keys are known");
  HONE_TRY(const std::string hex, get_string(json, "seed"));
  HONE_TRY(const Bytes seed, from_hex(hex));
  return SigningKey::from_seed(seed);
}

Bytes to_bytes(const SigningKey& key) {
  return dump_bytes({{"keytype", "ed25519"}, {"scheme", "ed25519"}, {"seed", to_hex(key.seed())}});
}

// Nothing when there is no such file.
Result<std::optional<SigningKey>> read_key(Files& files, const std::string& path) {
  const auto text = read_file(files, path, kKeyFileBytesMax);
  if (!text && text.error().code == Code::not_found) return std::nullopt;
  if (!text) return fail(text.error().within("read signing key"));
  auto key = key_from(*text);
  if (!key) {
    return fail(Code::invalid, path + " is no signing key (" + key.error().context + "): restore it from a backup");
  }
  return std::optional(std::move(*key));
}

}  // namespace

Result<SigningKeys> read_signing_keys(Files& files, const std::string& folder) {
  SigningKeys keys;
  for (const RoleName role : kRoles) {
    HONE_TRY(auto key, read_key(files, path_of(folder, role)));
    if (!key) {
      return fail(Code::invalid,
                  path_of(folder, role) +
                      " is missing, and the published metadata is signed with it: restore it from a backup");
    }
    keys.emplace(role, std::move(*key));
  }
  return keys;
}

Result<SigningKeys> read_or_make_signing_keys(Files& files, const std::string& folder, Random& random) {
  SigningKeys keys;
  for (const RoleName role : kRoles) {
    HONE_TRY(auto key, read_key(files, path_of(folder, role)));
    if (!key) {
      key = SigningKey::generate(random);
      HONE_CHECK(write_private_file_atomically(files, path_of(folder, role), to_bytes(*key)));
    }
    keys.emplace(role, std::move(*key));
  }
  // A key found above may be one whose name was not durable yet.
  HONE_CHECK(files.sync_folder(folder));
  return keys;
}

}  // namespace hone::cloud
