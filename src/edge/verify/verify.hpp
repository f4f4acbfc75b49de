// The device's view of the TUF repository: fetches metadata, verifies it, remembers the newest.
// Implements the client workflow of the TUF specification 1.0, section 5.3 (root) to 5.7 (target).
// Not for use by two threads at once.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/files.hpp"
#include "base/time.hpp"
#include "shared/trust/verified.hpp"
#include "shared/wire/release.hpp"

namespace hone::edge {

// Fetches "metadata/<name>" or "targets/<path>" below the repository, at most `bytes_max`.
// Errors: not_found (the workflow expects it for the next root), unavailable, damaged (longer).
using FetchFile = std::function<Result<Bytes>(const std::string& path, std::uint64_t bytes_max)>;

class TrustedRepository {
 public:
  // `folder` keeps root.json, timestamp.json, snapshot.json and targets.json between runs. The root
  // that is kept is used when it is newer than `first_root`, which came with the enrolment; a
  // damaged one falls back to `first_root`. Other damaged files are dropped one by one: each that
  // is left still keeps its versions from going back. `files` must outlive the repository.
  // Errors: untrusted (`first_root` is not signed by itself), unavailable, no_space.
  [[nodiscard]] static Result<std::unique_ptr<TrustedRepository>> open(Files& files, std::string folder,
                                                                       ByteView first_root);
  virtual ~TrustedRepository() = default;

  // One refresh: when nothing is new, a question for the next root and one small timestamp.
  // Errors: unavailable and damaged as the fetch says (an answer cut short, or cut off where it had
  // no end: try later), untrusted (bad signature, threshold, expired, mix-and-match, a fetch that
  // went beyond its bound), older_than_installed (a version went back), no_space.
  // On error find() answers what it did before. What was verified up to there is kept, as the
  // specification asks, so that its version cannot go back; a root that revokes the key of the
  // targets that are held takes them away.
  [[nodiscard]] virtual Result<> refresh(const FetchFile& fetch, Time now) = 0;

  // What the current targets metadata says of a path; `untrusted` when it does not name it.
  [[nodiscard]] virtual Result<trust::Verified<wire::TargetFile>> find(const std::string& path) const = 0;

  // Checks bytes against what the metadata says of the release's manifest and parses them. Errors:
  // untrusted (no such release, or the manifest speaks of another), damaged (other bytes). The answer is the manifest
  // as a device that runs `format` reads it: ReleaseManifest::in_format.
  [[nodiscard]] virtual Result<trust::Verified<wire::ReleaseManifest>> manifest(
      const PipelineName& pipeline, ReleaseSeq seq, ByteView bytes,
      std::string_view format = wire::kPlainFormat) const = 0;

  // The URL path of a target: "targets/models/digits/<sha256>.<name>" (consistent snapshots).
  [[nodiscard]] static std::string url_path(const wire::TargetFile& file);
};

}  // namespace hone::edge
