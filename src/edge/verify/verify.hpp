// The device's view of the TUF repository: fetches metadata, verifies it, remembers the newest.
// Implements the client workflow of the TUF specification 1.0, section 5.3 (root) to 5.7 (target).
// Not for use by two threads at once.
#pragma once

#include <functional>
#include <memory>
#include <string>

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
  // `folder` keeps root, timestamp, snapshot and targets between runs; `first_root` is used when it
  // is empty. `files` must outlive the repository. Damaged local files are dropped with the versions
  // remembered where they can still be read; a damaged root falls back to `first_root`.
  [[nodiscard]] static Result<std::unique_ptr<TrustedRepository>> open(Files& files, std::string folder,
                                                                       ByteView first_root);
  virtual ~TrustedRepository() = default;

  // One refresh. Errors: unavailable (try later), untrusted (bad signature, threshold, expired,
  // mix-and-match, endless data), older_than_installed (a version went back). On error the trusted
  // state is what it was.
  [[nodiscard]] virtual Result<> refresh(const FetchFile& fetch, Time now) = 0;

  // What the current targets metadata says of a path; `untrusted` when it does not name it.
  [[nodiscard]] virtual Result<trust::Verified<wire::TargetFile>> find(const std::string& path) const = 0;

  // Checks bytes against what the metadata says of `path` and parses them.
  [[nodiscard]] virtual Result<trust::Verified<wire::ReleaseManifest>> manifest(
      const PipelineName& pipeline, ReleaseSeq seq, ByteView bytes) const = 0;

  // The URL path of a target: "targets/models/digits/<sha256>.<name>" (consistent snapshots).
  [[nodiscard]] static std::string url_path(const wire::TargetFile& file);
};

}  // namespace hone::edge
