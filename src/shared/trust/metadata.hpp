// The metadata of the four top-level roles of TUF 1.0 (section 4.3 to 4.6), as values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "shared/trust/envelope.hpp"
#include "shared/trust/key.hpp"
#include "shared/wire/release.hpp"

namespace hone::trust {

constexpr std::string_view kSpecVersion = "1.0.31";

// How long a piece of metadata may be when nothing that is signed says so; and at most, whatever is said.
constexpr std::uint64_t kRootBytesMax = 512 * 1024;
constexpr std::uint64_t kTimestampBytesMax = 16 * 1024;
constexpr std::uint64_t kSnapshotBytesMax = 2 * 1024 * 1024;
constexpr std::uint64_t kTargetsBytesMax = 8 * 1024 * 1024;

enum class RoleName { root, timestamp, snapshot, targets };
[[nodiscard]] std::string_view name_of(RoleName role);

struct Root {
  std::int64_t version = 0;
  Time expires{};
  bool consistent_snapshot = true;
  std::map<KeyId, PublicKey> keys;
  std::map<RoleName, RoleKeys> roles;  // all four are there after parsing
};

// What one piece of metadata says of another.
struct MetaFile {
  std::int64_t version = 0;
  std::optional<std::uint64_t> length_bytes;
  std::optional<Sha256> sha256;
};

struct Timestamp {
  std::int64_t version = 0;
  Time expires{};
  MetaFile snapshot;
};

struct Snapshot {
  std::int64_t version = 0;
  Time expires{};
  std::map<std::string, MetaFile> files;  // "targets.json" among them
};

struct Targets {
  std::int64_t version = 0;
  Time expires{};
  std::map<std::string, wire::TargetFile> files;  // by path
  Json delegations;                               // as written; null when there are none
};

// "signed" of an envelope -> value. `invalid` for another type, a spec_version that is not 1.x, a
// version below 1, an unknown time format, and whatever a bound forbids. Unknown fields are ignored
// here (the signature covers them).
[[nodiscard]] Result<Root> root_from(const Json& content);
[[nodiscard]] Result<Timestamp> timestamp_from(const Json& content);
[[nodiscard]] Result<Snapshot> snapshot_from(const Json& content);
[[nodiscard]] Result<Targets> targets_from(const Json& content);

[[nodiscard]] Json to_json(const Root& root);
[[nodiscard]] Json to_json(const Timestamp& timestamp);
[[nodiscard]] Json to_json(const Snapshot& snapshot);
[[nodiscard]] Json to_json(const Targets& targets);

// Whether a target path stays below its folder: relative, no empty, "." or ".." part, at most 1024
// bytes, no control characters.
[[nodiscard]] bool is_safe_target_path(std::string_view path);

// "models/digits/a.onnx" with its hash -> "models/digits/<sha256>.a.onnx", the name under which a
// repository with consistent snapshots keeps a target (section 6.2).
[[nodiscard]] std::string stored_target_path(const wire::TargetFile& file);

}  // namespace hone::trust
