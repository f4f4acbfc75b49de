// What a device keeps of the TUF repository between runs, and how it is read back: every file is
// verified again against the root, as if it had just been fetched.
#pragma once

#include <optional>
#include <string>

#include "base/files.hpp"
#include "shared/trust/verifier.hpp"

namespace hone::edge {

// Verified metadata with the fingerprint of the bytes that it came in.
template <class T>
struct Held {
  trust::Verified<T> value;
  std::uint64_t length_bytes = 0;
  Sha256 sha256;

  [[nodiscard]] bool is(const trust::MetaFile& expected) const {
    return value->version == expected.version && expected.length_bytes.value_or(length_bytes) == length_bytes &&
           expected.sha256.value_or(sha256) == sha256;
  }
};

template <class T>
[[nodiscard]] Held<T> held(trust::Verified<T> value, ByteView bytes) {
  return {std::move(value), bytes.size(), hone::sha256(bytes)};
}

struct HeldMetadata {
  std::optional<Held<trust::Timestamp>> timestamp;
  std::optional<Held<trust::Snapshot>> snapshot;
  std::optional<Held<trust::Targets>> targets;
};

// The folder on disk. Each file is whole or absent after a crash.
class MetadataFolder {
 public:
  MetadataFolder(Files& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  [[nodiscard]] Result<> prepare();
  // Nothing when the file is absent or does not verify; an error only when the disk fails.
  [[nodiscard]] Result<std::optional<trust::Verified<trust::Root>>> read_root();
  [[nodiscard]] Result<HeldMetadata> read_rest(const trust::Verified<trust::Root>& root);

  [[nodiscard]] Result<> write(trust::RoleName role, ByteView bytes);
  // Section 5.3.11: after their keys were rotated, the old versions bind no more.
  [[nodiscard]] Result<> forget_timestamp_and_snapshot();

 private:
  [[nodiscard]] std::string path_of(trust::RoleName role) const;
  [[nodiscard]] Result<std::optional<Bytes>> read(trust::RoleName role, std::uint64_t bytes_max);

  Files& files_;
  std::string folder_;
};

}  // namespace hone::edge
