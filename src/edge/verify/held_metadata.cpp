#include "edge/verify/held_metadata.hpp"

namespace hone::edge {

using trust::RoleName;
using trust::Verifier;

Result<> MetadataFolder::prepare() {
  HONE_CHECK(files_.make_folders(folder_));
  return files_.sync_folder(folder_of(folder_));
}

std::string MetadataFolder::path_of(RoleName role) const {
  return folder_ + "/" + std::string(trust::name_of(role)) + ".json";
}

Result<std::optional<Bytes>> MetadataFolder::read(RoleName role, std::uint64_t bytes_max) {
  auto bytes = read_file(files_, path_of(role), bytes_max);
  if (bytes) return std::optional(std::move(*bytes));
  // Longer than any metadata may be: not what was written here.
  if (bytes.error().code == Code::not_found || bytes.error().code == Code::invalid) return std::nullopt;
  return fail(bytes.error().within("read the " + std::string(trust::name_of(role)) + " metadata that is kept"));
}

Result<std::optional<trust::Verified<trust::Root>>> MetadataFolder::read_root() {
  HONE_TRY(const auto bytes, read(RoleName::root, trust::kRootBytesMax));
  if (!bytes) return std::nullopt;
  auto root = Verifier::anchor(*bytes);
  if (!root) return std::nullopt;
  return std::optional(std::move(*root));
}

Result<HeldMetadata> MetadataFolder::read_rest(const trust::Verified<trust::Root>& root) {
  HeldMetadata rest;
  HONE_TRY(const auto timestamp_bytes, read(RoleName::timestamp, trust::kTimestampBytesMax));
  if (timestamp_bytes) {
    if (auto value = Verifier::timestamp(root, *timestamp_bytes)) {
      rest.timestamp = held(std::move(*value), *timestamp_bytes);
    }
  }
  HONE_TRY(const auto snapshot_bytes, read(RoleName::snapshot, trust::kSnapshotBytesMax));
  if (snapshot_bytes) {
    if (auto value = Verifier::snapshot(root, *snapshot_bytes))
      rest.snapshot = held(std::move(*value), *snapshot_bytes);
  }
  HONE_TRY(const auto targets_bytes, read(RoleName::targets, trust::kTargetsBytesMax));
  if (targets_bytes) {
    if (auto value = Verifier::targets(root, *targets_bytes)) rest.targets = held(std::move(*value), *targets_bytes);
  }
  return rest;
}

Result<> MetadataFolder::write(RoleName role, ByteView bytes) {
  if (auto written = write_file_atomically(files_, path_of(role), bytes); !written) {
    return fail(written.error().within("keep the " + std::string(trust::name_of(role)) + " metadata"));
  }
  return {};
}

Result<> MetadataFolder::forget_timestamp_and_snapshot() {
  HONE_CHECK(files_.remove(path_of(RoleName::timestamp)));
  HONE_CHECK(files_.remove(path_of(RoleName::snapshot)));
  return files_.sync_folder(folder_);
}

}  // namespace hone::edge
