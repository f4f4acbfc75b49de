// Metadata <-> JSON. The readers see bytes from outside: every size is bounded (the text itself is
// bounded by whoever fetched it), every field is checked.
#include <array>
#include <set>
#include <utility>

#include "shared/trust/metadata.hpp"

namespace hone::trust {
namespace {

constexpr std::size_t kKeysMax = 1024;
constexpr std::size_t kFilesMax = 65536;

constexpr std::array kRoles = {RoleName::root, RoleName::timestamp, RoleName::snapshot, RoleName::targets};

struct Common {
  std::int64_t version = 0;
  Time expires{};
};

Result<std::int64_t> get_positive(const Json& json, std::string_view key) {
  HONE_TRY(const std::int64_t value, get_int(json, key));
  if (value < 1) return fail(Code::invalid, "JSON key \"" + std::string(key) + "\" must be at least 1");
  return value;
}

Result<Common> common_from(const Json& content, std::string_view type) {
  HONE_TRY(const std::string found, get_string(content, "_type"));
  if (found != type) return fail(Code::invalid, "the metadata is of another role than " + std::string(type));
  HONE_TRY(const std::string spec, get_string(content, "spec_version"));
  if (!spec.starts_with("1.")) return fail(Code::invalid, "only version 1 of the TUF specification is understood");
  Common common;
  HONE_TRY(common.version, get_positive(content, "version"));
  HONE_TRY(const std::string expires, get_string(content, "expires"));
  HONE_TRY(common.expires, from_rfc3339(expires));
  return common;
}

Json common_json(std::string_view type, std::int64_t version, Time expires) {
  return {{"_type", type}, {"spec_version", kSpecVersion}, {"version", version}, {"expires", to_rfc3339(expires)}};
}

Result<Sha256> sha256_from(const Json& hashes) {
  HONE_TRY(const std::string hex, get_string(hashes, "sha256"));
  return Sha256::from_hex(hex);
}

Result<std::uint64_t> length_from(const Json& json) {
  HONE_TRY(const std::int64_t length, get_int(json, "length"));
  if (length < 0) return fail(Code::invalid, "JSON key \"length\" must not be negative");
  return static_cast<std::uint64_t>(length);
}

Result<RoleKeys> role_keys_from(const Json& json) {
  RoleKeys role;
  HONE_TRY(role.threshold, get_positive(json, "threshold"));
  HONE_TRY(const Json* ids, get_array(json, "keyids"));
  if (ids->size() > kKeysMax) return fail(Code::invalid, "a role has more than 1024 keys");
  std::set<std::string> seen;
  for (const Json& id : *ids) {
    if (!id.is_string()) return fail(Code::invalid, "a key id must be a string");
    if (!seen.insert(id.get<std::string>()).second) return fail(Code::invalid, "a role names one key id twice");
    role.keys.emplace_back(id.get<std::string>());
  }
  return role;
}

// Length and hashes may be left out of snapshot and timestamp (section 4.4, 4.5).
Result<MetaFile> meta_file_from(const Json& json) {
  MetaFile file;
  HONE_TRY(file.version, get_positive(json, "version"));
  if (json.contains("length")) {
    HONE_TRY(file.length_bytes, length_from(json));
  }
  if (json.contains("hashes")) {
    HONE_TRY(const Json* hashes, get_object(json, "hashes"));
    if (hashes->contains("sha256")) {
      HONE_TRY(file.sha256, sha256_from(*hashes));
    }
  }
  return file;
}

Json to_json(const MetaFile& file) {
  Json json = {{"version", file.version}};
  if (file.length_bytes) json["length"] = *file.length_bytes;
  if (file.sha256) json["hashes"] = {{"sha256", file.sha256->hex()}};
  return json;
}

Result<wire::TargetFile> target_from(const std::string& path, const Json& json) {
  if (!is_safe_target_path(path)) return fail(Code::invalid, "a target path leads out of its folder or is too long");
  wire::TargetFile file;
  file.path = path;
  HONE_TRY(file.bytes, length_from(json));
  HONE_TRY(const Json* hashes, get_object(json, "hashes"));
  HONE_TRY(file.sha256, sha256_from(*hashes));
  return file;
}

}  // namespace

Result<Root> root_from(const Json& content) {
  HONE_TRY(const Common common, common_from(content, "root"));
  Root root{.version = common.version, .expires = common.expires, .consistent_snapshot = true, .keys = {}, .roles = {}};
  HONE_TRY(root.consistent_snapshot, get_bool(content, "consistent_snapshot"));
  HONE_TRY(const Json* keys, get_object(content, "keys"));
  if (keys->size() > kKeysMax) return fail(Code::invalid, "root names more than 1024 keys");
  for (const auto& [id, key] : keys->items()) {
    HONE_TRY(PublicKey parsed, public_key_from(key));
    root.keys.emplace(KeyId(id), std::move(parsed));
  }
  HONE_TRY(const Json* roles, get_object(content, "roles"));
  for (const RoleName role : kRoles) {
    HONE_TRY(const Json* entry, get_object(*roles, name_of(role)));
    HONE_TRY(root.roles[role], role_keys_from(*entry));
  }
  return root;
}

Result<Timestamp> timestamp_from(const Json& content) {
  HONE_TRY(const Common common, common_from(content, "timestamp"));
  HONE_TRY(const Json* meta, get_object(content, "meta"));
  HONE_TRY(const Json* entry, get_object(*meta, "snapshot.json"));
  HONE_TRY(const MetaFile snapshot, meta_file_from(*entry));
  return Timestamp{.version = common.version, .expires = common.expires, .snapshot = snapshot};
}

Result<Snapshot> snapshot_from(const Json& content) {
  HONE_TRY(const Common common, common_from(content, "snapshot"));
  HONE_TRY(const Json* meta, get_object(content, "meta"));
  if (meta->size() > kFilesMax) return fail(Code::invalid, "snapshot names more than 65536 files");
  Snapshot snapshot{.version = common.version, .expires = common.expires, .files = {}};
  for (const auto& [name, entry] : meta->items()) {
    HONE_TRY(const MetaFile file, meta_file_from(entry));
    snapshot.files.emplace(name, file);
  }
  return snapshot;
}

Result<Targets> targets_from(const Json& content) {
  HONE_TRY(const Common common, common_from(content, "targets"));
  HONE_TRY(const Json* files, get_object(content, "targets"));
  if (files->size() > kFilesMax) return fail(Code::invalid, "targets names more than 65536 files");
  Targets targets{.version = common.version, .expires = common.expires, .files = {}, .delegations = nullptr};
  for (const auto& [path, entry] : files->items()) {
    HONE_TRY(wire::TargetFile file, target_from(path, entry));
    targets.files.emplace(path, std::move(file));
  }
  if (content.contains("delegations")) {
    HONE_TRY(const Json* delegations, get_object(content, "delegations"));
    targets.delegations = *delegations;
  }
  return targets;
}

Json to_json(const Root& root) {
  Json json = common_json("root", root.version, root.expires);
  json["consistent_snapshot"] = root.consistent_snapshot;
  json["keys"] = Json::object();
  for (const auto& [id, key] : root.keys) json["keys"][id.value] = to_json(key);
  json["roles"] = Json::object();
  for (const auto& [role, keys] : root.roles) {
    Json ids = Json::array();
    for (const KeyId& id : keys.keys) ids.push_back(id.value);
    json["roles"][std::string(name_of(role))] = {{"keyids", std::move(ids)}, {"threshold", keys.threshold}};
  }
  return json;
}

Json to_json(const Timestamp& timestamp) {
  Json json = common_json("timestamp", timestamp.version, timestamp.expires);
  json["meta"] = {{"snapshot.json", to_json(timestamp.snapshot)}};
  return json;
}

Json to_json(const Snapshot& snapshot) {
  Json json = common_json("snapshot", snapshot.version, snapshot.expires);
  json["meta"] = Json::object();
  for (const auto& [name, file] : snapshot.files) json["meta"][name] = to_json(file);
  return json;
}

Json to_json(const Targets& targets) {
  Json json = common_json("targets", targets.version, targets.expires);
  json["targets"] = Json::object();
  for (const auto& [path, file] : targets.files) {
    json["targets"][path] = {{"length", file.bytes}, {"hashes", {{"sha256", file.sha256.hex()}}}};
  }
  if (!targets.delegations.is_null()) json["delegations"] = targets.delegations;
  return json;
}

}  // namespace hone::trust
