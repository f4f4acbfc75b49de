#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

#include "cloud/publish/journal.hpp"
#include "cloud/publish/publish.hpp"
#include "cloud/publish/signing_keys.hpp"
#include "shared/trust/envelope.hpp"
#include "shared/trust/metadata.hpp"
#include "shared/trust/verifier.hpp"

namespace hone::cloud {
namespace {

using std::chrono::days;
using trust::RoleName;
using trust::Verifier;

constexpr std::string_view kTargetsFile = "targets.json";
constexpr std::string_view kManifestSuffix = ".manifest.json";
constexpr std::size_t kOldVersionsKept = 16;  // of snapshot and targets, for clients in mid-refresh

Duration lifetime_of(RoleName role) {
  switch (role) {
    case RoleName::root: return days(365);
    case RoleName::targets: return days(90);
    case RoleName::snapshot: return days(7);
    case RoleName::timestamp: return days(1);
  }
  return days(1);
}

// Metadata knows whole seconds.
Time expiry(RoleName role, Time now) {
  return std::chrono::floor<std::chrono::seconds>(now + lifetime_of(role));
}

template <class T>
bool wears_out(const T& metadata, RoleName role, Time now) {
  return metadata.expires - now < lifetime_of(role) / 3;
}

// "12.snapshot.json" -> 12, for `suffix` ".snapshot.json".
std::optional<std::int64_t> version_in(const std::string& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return std::nullopt;
  const char* end = name.data() + (name.size() - suffix.size());
  std::int64_t version = 0;
  const auto [at, error] = std::from_chars(name.data(), end, version);
  if (error != std::errc() || at != end || version < 1) return std::nullopt;
  return version;
}

std::vector<std::int64_t> versions_in(const std::vector<std::string>& names, RoleName role) {
  const std::string suffix = "." + std::string(trust::name_of(role)) + ".json";
  std::vector<std::int64_t> versions;
  for (const std::string& name : names) {
    if (const auto version = version_in(name, suffix)) versions.push_back(*version);
  }
  std::sort(versions.begin(), versions.end());
  return versions;
}

std::string numbered(std::int64_t version, RoleName role) {
  return std::to_string(version) + "." + std::string(trust::name_of(role)) + ".json";
}

// The newest of each role: what is up in the repository.
struct Published {
  trust::Root root;
  Bytes root_bytes;
  trust::Targets targets;
  trust::Snapshot snapshot;
  trust::Timestamp timestamp;
};

class DiskPublisher : public Publisher {
 public:
  DiskPublisher(Files& files, std::string folder, std::string keys, Random& random)
      : files_(files),
        random_(random),
        folder_(std::move(folder)),
        keys_folder_(std::move(keys)),
        journal_(files, keys_folder_ + "/publication.json", metadata()) {}

  [[nodiscard]] Result<> start(Time now);

  [[nodiscard]] Result<> publish(const std::vector<NewTarget>& targets, Time now) override;
  [[nodiscard]] Result<bool> refresh(Time now) override;
  [[nodiscard]] const Bytes& root_json() const override { return published_.root_bytes; }

 private:
  [[nodiscard]] std::string metadata() const { return folder_ + "/metadata"; }

  [[nodiscard]] Result<> make_durable_folder(const std::string& path);
  [[nodiscard]] Result<> load(Time now);
  [[nodiscard]] Result<> begin(Time now);
  [[nodiscard]] Result<> read_published(std::int64_t root_version);
  [[nodiscard]] Result<> check_keys() const;
  [[nodiscard]] Result<> settle(Time now);
  [[nodiscard]] Result<> store(const NewTarget& target);
  void prune();

  // A publication is made of the roles that change; what depends on one of them changes with it.
  struct Change {
    std::optional<trust::Root> root;
    std::optional<trust::Targets> targets;
    bool snapshot = false;
    bool timestamp = false;
  };
  [[nodiscard]] Result<> commit(Change change, Time now);
  template <class T>
  [[nodiscard]] Result<Bytes> signed_bytes(const T& metadata, RoleName role) const;

  Files& files_;
  Random& random_;
  std::string folder_;
  std::string keys_folder_;
  Journal journal_;
  SigningKeys keys_;
  Published published_;
  bool unsettled_ = false;  // a publication failed half-way: the disk knows more than `published_`
};

tl::unexpected<Error> disagree(const std::string& why) {
  return fail(Code::invalid, why + ": restore keys and metadata from one backup");
}

Result<Bytes> read_metadata(Files& files, const std::string& path, std::uint64_t bytes_max) {
  auto bytes = read_file(files, path, bytes_max);
  if (!bytes && bytes.error().code == Code::not_found) return disagree(path + " is missing");
  return bytes;
}

template <class T>
trust::MetaFile meta_of(const T& metadata, ByteView bytes) {
  return {.version = metadata.version, .length_bytes = bytes.size(), .sha256 = sha256(bytes)};
}

Result<> DiskPublisher::make_durable_folder(const std::string& path) {
  HONE_CHECK(files_.make_folders(path));
  return files_.sync_folder(folder_of(path));
}

Result<> DiskPublisher::start(Time now) {
  for (const std::string& path : {keys_folder_, folder_, metadata(), folder_ + "/targets"}) {
    HONE_CHECK(make_durable_folder(path));
  }
  return load(now);
}

Result<> DiskPublisher::load(Time now) {
  HONE_CHECK(journal_.recover());
  HONE_TRY(const auto names, files_.list(metadata()));
  const auto roots = versions_in(names, RoleName::root);
  if (!roots.empty()) return read_published(roots.back());
  HONE_TRY(const bool begun, journal_.begun());
  if (begun) return disagree("keys were used to sign a repository, and " + metadata() + " holds no root metadata");
  return begin(now);
}

// The very first metadata: an empty repository.
Result<> DiskPublisher::begin(Time now) {
  HONE_TRY(keys_, read_or_make_signing_keys(files_, keys_folder_, random_));
  trust::Root root{
      .version = 1, .expires = expiry(RoleName::root, now), .consistent_snapshot = true, .keys = {}, .roles = {}};
  for (const auto& [role, key] : keys_) {
    root.keys.emplace(key.id(), key.public_key());
    root.roles[role] = {.keys = {key.id()}, .threshold = 1};
  }
  Change change;
  change.root = std::move(root);
  change.targets = trust::Targets{};
  return commit(std::move(change), now);
}

Result<> DiskPublisher::read_published(std::int64_t root_version) {
  HONE_TRY(keys_, read_signing_keys(files_, keys_folder_));
  Published published;
  const auto path = [this](const std::string& name) { return metadata() + "/" + name; };
  HONE_TRY(published.root_bytes,
           read_metadata(files_, path(numbered(root_version, RoleName::root)), trust::kRootBytesMax));
  HONE_TRY(const auto root, Verifier::anchor(published.root_bytes));
  HONE_TRY(const Bytes timestamp_bytes, read_metadata(files_, path("timestamp.json"), trust::kTimestampBytesMax));
  HONE_TRY(const auto timestamp, Verifier::timestamp(root, timestamp_bytes));
  const std::string snapshot_name = numbered(timestamp->snapshot.version, RoleName::snapshot);
  HONE_TRY(const Bytes snapshot_bytes, read_metadata(files_, path(snapshot_name), trust::kSnapshotBytesMax));
  HONE_TRY(const auto snapshot, Verifier::snapshot(root, snapshot_bytes));
  HONE_CHECK(trust::check_named(timestamp->snapshot, snapshot->version, snapshot_bytes, snapshot_name));
  const auto named = snapshot->files.find(std::string(kTargetsFile));
  if (named == snapshot->files.end()) return disagree(snapshot_name + " names no targets.json");
  const std::string targets_name = numbered(named->second.version, RoleName::targets);
  HONE_TRY(const Bytes targets_bytes, read_metadata(files_, path(targets_name), trust::kTargetsBytesMax));
  HONE_TRY(const auto targets, Verifier::targets(root, targets_bytes));
  HONE_CHECK(trust::check_named(named->second, targets->version, targets_bytes, targets_name));
  published.root = *root;
  published.timestamp = *timestamp;
  published.snapshot = *snapshot;
  published.targets = *targets;
  published_ = std::move(published);
  return check_keys();
}

Result<> DiskPublisher::check_keys() const {
  for (const auto& [role, key] : keys_) {
    const auto& ids = published_.root.roles.at(role).keys;
    if (std::find(ids.begin(), ids.end(), key.id()) == ids.end()) {
      return disagree(keys_folder_ + "/" + std::string(trust::name_of(role)) +
                      ".key is not the key that the published root names");
    }
  }
  return {};
}

Result<> DiskPublisher::settle(Time now) {
  if (!unsettled_) return {};
  HONE_CHECK(load(now));
  unsettled_ = false;
  return {};
}

Result<> check_target(const NewTarget& target) {
  if (!trust::is_safe_target_path(target.file.path)) {
    return fail(Code::invalid, "\"" + target.file.path + "\" is no target path");
  }
  if (target.bytes.size() != target.file.bytes || sha256(target.bytes) != target.file.sha256) {
    return fail(Code::invalid, target.file.path + ": its bytes do not have the length and hash that are to be signed");
  }
  return {};
}

Result<> DiskPublisher::publish(const std::vector<NewTarget>& targets, Time now) {
  HONE_CHECK(settle(now));
  trust::Targets next = published_.targets;
  bool changed = false;
  for (const NewTarget& target : targets) {
    HONE_CHECK(check_target(target));
    wire::TargetFile& entry = next.files[target.file.path];
    if (entry.sha256 == target.file.sha256 && entry.bytes == target.file.bytes) continue;
    if (!entry.path.empty() && target.file.path.ends_with(kManifestSuffix)) {
      return fail(Code::invalid, target.file.path + " is published with other bytes: give the release a new number");
    }
    entry = target.file;
    changed = true;
  }
  if (!changed) return {};
  for (const NewTarget& target : targets) HONE_CHECK(store(target));
  Change change;
  change.targets = std::move(next);
  return commit(std::move(change), now);
}

// The name holds the hash, so a file that is there is the right one.
Result<> DiskPublisher::store(const NewTarget& target) {
  const std::string path = folder_ + "/targets/" + trust::stored_target_path(target.file);
  HONE_TRY(const bool there, files_.exists(path));
  if (!there) {
    for (std::size_t slash = folder_.size() + 9; (slash = path.find('/', slash)) != std::string::npos; ++slash) {
      HONE_CHECK(make_durable_folder(path.substr(0, slash)));
    }
    return write_file_atomically(files_, path, target.bytes);
  }
  // Perhaps from a publication that was killed before the name was durable.
  for (std::string folder = folder_of(path); folder.size() > folder_.size(); folder = folder_of(folder)) {
    HONE_CHECK(files_.sync_folder(folder));
  }
  return {};
}

Result<bool> DiskPublisher::refresh(Time now) {
  HONE_CHECK(settle(now));
  Change change;
  if (wears_out(published_.root, RoleName::root, now)) change.root = published_.root;
  if (wears_out(published_.targets, RoleName::targets, now)) change.targets = published_.targets;
  change.snapshot = wears_out(published_.snapshot, RoleName::snapshot, now);
  change.timestamp = wears_out(published_.timestamp, RoleName::timestamp, now);
  if (!change.root && !change.targets && !change.snapshot && !change.timestamp) return false;
  HONE_CHECK(commit(std::move(change), now));
  return true;
}

template <class T>
Result<Bytes> DiskPublisher::signed_bytes(const T& metadata, RoleName role) const {
  return trust::sign(trust::to_json(metadata), std::span(&keys_.at(role), 1));
}

// Every version here is one above what is published, and what is published includes whatever a
// journal ever held: see Journal.
Result<> DiskPublisher::commit(Change change, Time now) {
  Published next = published_;
  std::vector<MetadataFile> files;
  if (change.root) {
    next.root = std::move(*change.root);
    next.root.version = published_.root.version + 1;
    next.root.expires = expiry(RoleName::root, now);
    HONE_TRY(next.root_bytes, signed_bytes(next.root, RoleName::root));
    files.push_back({numbered(next.root.version, RoleName::root), next.root_bytes});
  }
  if (change.targets) {
    change.snapshot = true;
    next.targets = std::move(*change.targets);
    next.targets.version = published_.targets.version + 1;
    next.targets.expires = expiry(RoleName::targets, now);
    HONE_TRY(Bytes bytes, signed_bytes(next.targets, RoleName::targets));
    if (bytes.size() > trust::kTargetsBytesMax) {
      return fail(Code::no_space, "the repository names too many targets: devices accept 8 MiB of metadata");
    }
    next.snapshot.files[std::string(kTargetsFile)] = meta_of(next.targets, bytes);
    files.push_back({numbered(next.targets.version, RoleName::targets), std::move(bytes)});
  }
  if (change.snapshot) {
    change.timestamp = true;
    next.snapshot.version = published_.snapshot.version + 1;
    next.snapshot.expires = expiry(RoleName::snapshot, now);
    HONE_TRY(Bytes bytes, signed_bytes(next.snapshot, RoleName::snapshot));
    next.timestamp.snapshot = meta_of(next.snapshot, bytes);
    files.push_back({numbered(next.snapshot.version, RoleName::snapshot), std::move(bytes)});
  }
  if (change.timestamp) {
    next.timestamp.version = published_.timestamp.version + 1;
    next.timestamp.expires = expiry(RoleName::timestamp, now);
    HONE_TRY(Bytes bytes, signed_bytes(next.timestamp, RoleName::timestamp));
    files.push_back({"timestamp.json", std::move(bytes)});
  }
  unsettled_ = true;
  HONE_CHECK(journal_.publish(files));
  unsettled_ = false;
  published_ = std::move(next);
  prune();
  return {};
}

// Only space is at stake: what cannot be removed now is removed next time.
void DiskPublisher::prune() {
  const auto names = files_.list(metadata());
  if (!names) return;
  for (const RoleName role : {RoleName::snapshot, RoleName::targets}) {
    const auto versions = versions_in(*names, role);
    for (std::size_t i = 0; i + kOldVersionsKept < versions.size(); ++i) {
      (void)files_.remove(metadata() + "/" + numbered(versions[i], role));
    }
  }
}

}  // namespace

Result<std::unique_ptr<Publisher>> Publisher::open(Files& files, std::string folder, std::string keys, Random& random,
                                                   Time now) {
  auto publisher = std::make_unique<DiskPublisher>(files, std::move(folder), std::move(keys), random);
  HONE_CHECK(publisher->start(now));
  return publisher;
}

}  // namespace hone::cloud
