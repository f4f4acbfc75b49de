#include "edge/verify/verify.hpp"

#include <optional>
#include <set>
#include <utility>

#include "edge/verify/held_metadata.hpp"
#include "shared/trust/verifier.hpp"

namespace hone::edge {
namespace {

using trust::MetaFile;
using trust::RoleName;
using trust::Verified;
using trust::Verifier;

constexpr int kRootRotationsMax = 256;  // in one refresh
constexpr std::string_view kTargetsFile = "targets.json";

// The keys themselves, not their ids: an id may be given to another key.
std::set<trust::PublicKey> keys_of(const trust::Root& root, RoleName role) {
  std::set<trust::PublicKey> keys;
  for (const trust::KeyId& id : root.roles.at(role).keys) {
    if (const auto key = root.keys.find(id); key != root.keys.end()) keys.insert(key->second);
  }
  return keys;
}

bool rotated(const trust::Root& from, const trust::Root& to, RoleName role) {
  return keys_of(from, role) != keys_of(to, role);
}

// Sections 5.3.10, 5.4.4, 5.5.6, 5.6.5: the freeze attack.
template <class T>
Result<> check_fresh(const T& metadata, RoleName role, Time now) {
  if (now < metadata.expires) return {};
  return fail(Code::untrusted, std::string(name_of(role)) + " metadata version " + std::to_string(metadata.version) +
                                   " expired at " + to_rfc3339(metadata.expires) + ", and it is " + to_rfc3339(now));
}

// The rollback attack.
Result<> check_not_older(std::string_view what, std::int64_t held_version, std::int64_t version) {
  if (version >= held_version) return {};
  return fail(Code::older_than_installed, std::string(what) + " went back from version " +
                                              std::to_string(held_version) + " to " + std::to_string(version));
}

class Repository : public TrustedRepository {
 public:
  Repository(MetadataFolder folder, Verified<trust::Root> root, HeldMetadata metadata)
      : folder_(std::move(folder)), root_(std::move(root)), held_(std::move(metadata)) {}

  [[nodiscard]] Result<> refresh(const FetchFile& fetch, Time now) override {
    HONE_CHECK(update_root(fetch));
    HONE_CHECK(check_fresh(*root_, RoleName::root, now));
    HONE_CHECK(update_timestamp(fetch, now));
    HONE_CHECK(update_snapshot(fetch, now));
    return update_targets(fetch, now);
  }

  [[nodiscard]] Result<Verified<wire::TargetFile>> find(const std::string& path) const override {
    if (!held_.targets) return fail(Code::untrusted, "no signed metadata names " + path + " yet: refresh first");
    return Verifier::target(held_.targets->value, path);
  }

  [[nodiscard]] Result<Verified<wire::ReleaseManifest>> manifest(const PipelineName& pipeline, ReleaseSeq seq,
                                                                 ByteView bytes,
                                                                 std::string_view format) const override {
    HONE_TRY(const auto file, find(wire::manifest_path(pipeline, seq)));
    const auto parse = [format](ByteView json) -> Result<wire::ReleaseManifest> {
      HONE_TRY(const auto all, wire::release_manifest_from(json));
      return all.in_format(format);
    };
    HONE_TRY(auto manifest, Verifier::content(file, bytes, parse));
    if (manifest->pipeline != pipeline || manifest->seq != seq) {
      return fail(Code::untrusted, file->path + " speaks of release " + std::to_string(manifest->seq.value) +
                                       " of pipeline " + manifest->pipeline.value);
    }
    return manifest;
  }

 private:
  [[nodiscard]] Result<> update_root(const FetchFile& fetch);
  [[nodiscard]] Result<bool> step_root(const FetchFile& fetch);
  [[nodiscard]] Result<> update_timestamp(const FetchFile& fetch, Time now);
  [[nodiscard]] Result<> update_snapshot(const FetchFile& fetch, Time now);
  [[nodiscard]] Result<> update_targets(const FetchFile& fetch, Time now);

  MetadataFolder folder_;
  Verified<trust::Root> root_;
  HeldMetadata held_;
};

Result<Bytes> get(const FetchFile& fetch, const std::string& name, std::uint64_t bytes_max) {
  auto bytes = fetch("metadata/" + name, bytes_max);
  if (!bytes) return fail(bytes.error().within("fetch " + name));
  // The endless data attack; not left to the one who fetches.
  if (bytes->size() > bytes_max) {
    return fail(Code::untrusted, "fetch " + name + ": more than " + std::to_string(bytes_max) + " bytes");
  }
  return bytes;
}

// For all but the next root, whose absence is an answer: a repository that names a file and does
// not have it is being written, or broken.
Result<Bytes> get_named(const FetchFile& fetch, const std::string& name, std::uint64_t bytes_max) {
  auto bytes = get(fetch, name, bytes_max);
  if (!bytes && bytes.error().code == Code::not_found) {
    return fail(Code::unavailable, "the repository has no metadata/" + name);
  }
  return bytes;
}

Result<std::uint64_t> length_of(const MetaFile& file, std::uint64_t bytes_max, std::string_view name) {
  const std::uint64_t length = file.length_bytes.value_or(bytes_max);
  if (length <= bytes_max) return length;
  return fail(Code::untrusted, std::string(name) + " is said to be " + std::to_string(length) +
                                   " bytes long, at most " + std::to_string(bytes_max) + " are allowed");
}

// Section 5.3. Each new root is kept before the next is asked for.
Result<> Repository::update_root(const FetchFile& fetch) {
  bool changed = false;
  for (int step = 0; step < kRootRotationsMax; ++step) {
    auto stepped = step_root(fetch);
    if (stepped && *stepped) {
      changed = true;
      continue;
    }
    // What is held must be signed by keys that are still trusted.
    if (changed) {
      HONE_TRY(held_, folder_.read_rest(root_));
    }
    if (!stepped) return fail(std::move(stepped).error());
    return {};
  }
  HONE_TRY(held_, folder_.read_rest(root_));
  return fail(Code::unavailable,
              "more than 256 new roots: refresh again to go on from version " + std::to_string(root_->version));
}

// True when there was a next root, and it is trusted now.
Result<bool> Repository::step_root(const FetchFile& fetch) {
  const std::string name = std::to_string(root_->version + 1) + ".root.json";
  auto bytes = get(fetch, name, trust::kRootBytesMax);
  if (!bytes && bytes.error().code == Code::not_found) return false;
  if (!bytes) return fail(std::move(bytes).error());
  HONE_TRY(auto next, Verifier::next_root(root_, *bytes));
  // Section 5.3.11, before the new root is kept: power lost in between costs a fetch. The other way
  // round, versions that a thief of the old keys drove up could stay for good.
  if (rotated(*root_, *next, RoleName::timestamp) || rotated(*root_, *next, RoleName::snapshot)) {
    HONE_CHECK(folder_.forget_timestamp_and_snapshot());
  }
  HONE_CHECK(folder_.write(RoleName::root, *bytes));
  root_ = std::move(next);
  return true;
}

// Section 5.4.
Result<> Repository::update_timestamp(const FetchFile& fetch, Time now) {
  HONE_TRY(const Bytes bytes, get_named(fetch, "timestamp.json", trust::kTimestampBytesMax));
  HONE_TRY(auto next, Verifier::timestamp(root_, bytes));
  if (held_.timestamp) {
    const trust::Timestamp& held_now = *held_.timestamp->value;
    HONE_CHECK(check_not_older("timestamp", held_now.version, next->version));
    // 5.4.3.1: the same version is no news. The held one may still have grown old.
    if (next->version == held_now.version) return check_fresh(held_now, RoleName::timestamp, now);
    HONE_CHECK(check_not_older("snapshot", held_now.snapshot.version, next->snapshot.version));
  }
  // A snapshot outlives a timestamp file that was damaged.
  if (held_.snapshot) HONE_CHECK(check_not_older("snapshot", held_.snapshot->value->version, next->snapshot.version));
  HONE_CHECK(check_fresh(*next, RoleName::timestamp, now));
  HONE_CHECK(folder_.write(RoleName::timestamp, bytes));
  held_.timestamp = held(std::move(next), bytes);
  return {};
}

// Section 5.5.
Result<> Repository::update_snapshot(const FetchFile& fetch, Time now) {
  const MetaFile& named = held_.timestamp->value->snapshot;
  if (held_.snapshot && held_.snapshot->is(named)) return check_fresh(*held_.snapshot->value, RoleName::snapshot, now);
  const std::string name = std::to_string(named.version) + ".snapshot.json";
  HONE_TRY(const std::uint64_t bytes_max, length_of(named, trust::kSnapshotBytesMax, name));
  HONE_TRY(const Bytes bytes, get_named(fetch, name, bytes_max));
  HONE_TRY(auto next, Verifier::snapshot(root_, bytes));
  HONE_CHECK(trust::check_named(named, next->version, bytes, name));
  if (held_.snapshot) {
    for (const auto& [file, before] : held_.snapshot->value->files) {
      const auto after = next->files.find(file);
      if (after == next->files.end()) return fail(Code::older_than_installed, name + " leaves out " + file);
      HONE_CHECK(check_not_older(file, before.version, after->second.version));
    }
  }
  HONE_CHECK(check_fresh(*next, RoleName::snapshot, now));
  HONE_CHECK(folder_.write(RoleName::snapshot, bytes));
  held_.snapshot = held(std::move(next), bytes);
  return {};
}

// Section 5.6, for the top-level targets.
Result<> Repository::update_targets(const FetchFile& fetch, Time now) {
  const auto entry = held_.snapshot->value->files.find(std::string(kTargetsFile));
  if (entry == held_.snapshot->value->files.end())
    return fail(Code::untrusted, "snapshot metadata names no targets.json");
  const MetaFile& named = entry->second;
  if (held_.targets && held_.targets->is(named)) return check_fresh(*held_.targets->value, RoleName::targets, now);
  const std::string name = std::to_string(named.version) + ".targets.json";
  HONE_TRY(const std::uint64_t bytes_max, length_of(named, trust::kTargetsBytesMax, name));
  HONE_TRY(const Bytes bytes, get_named(fetch, name, bytes_max));
  HONE_TRY(auto next, Verifier::targets(root_, bytes));
  HONE_CHECK(trust::check_named(named, next->version, bytes, name));
  HONE_CHECK(check_fresh(*next, RoleName::targets, now));
  HONE_CHECK(folder_.write(RoleName::targets, bytes));
  held_.targets = held(std::move(next), bytes);
  return {};
}

}  // namespace

Result<std::unique_ptr<TrustedRepository>> TrustedRepository::open(Files& files, std::string folder,
                                                                   ByteView first_root) {
  HONE_TRY(auto root, Verifier::anchor(first_root));
  MetadataFolder disk(files, std::move(folder));
  HONE_CHECK(disk.prepare());
  HONE_TRY(auto kept, disk.read_root());
  if (!kept || (*kept)->version < root->version) {
    HONE_CHECK(disk.write(RoleName::root, first_root));
  } else if ((*kept)->version > root->version) {
    root = std::move(*kept);
  }
  HONE_TRY(auto rest, disk.read_rest(root));
  return std::make_unique<Repository>(std::move(disk), std::move(root), std::move(rest));
}

std::string TrustedRepository::url_path(const wire::TargetFile& file) {
  return "targets/" + trust::stored_target_path(file);
}

}  // namespace hone::edge
