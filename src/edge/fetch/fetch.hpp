// Pulls one target file into a part file, piece by piece with Range, so that neither a lost
// connection nor a reboot starts over. What comes is bounded by the signed length and believed only
// when its SHA-256 is the signed one.
#pragma once

#include <cstdint>
#include <string>

#include "base/files.hpp"
#include "base/http.hpp"
#include "shared/trust/verified.hpp"
#include "shared/wire/release.hpp"

namespace hone::edge {

constexpr Duration kFetchTimeout = std::chrono::seconds(30);
constexpr std::uint64_t kFetchPieceBytes = 1u << 20;

// A small file of the repository, whole: metadata and manifests. `path` is below the repository.
// Errors: unavailable, not_found, damaged (longer than bytes_max).
[[nodiscard]] Result<Bytes> fetch_file(HttpClient& cloud, const std::string& path, std::uint64_t bytes_max);

// A large one, one piece a call. `files` must outlive it. Not for use by two threads at once.
class TargetFetch {
 public:
  // `url_path` is below the repository; the part file is <folder>/<sha256>.part, and other part
  // files in the folder are removed: only one target is ever pulled at a time.
  [[nodiscard]] static Result<TargetFetch> begin(Files& files, std::string folder, wire::TargetFile target,
                                                 std::string url_path);

  // Pulls the next piece; true when the file is whole, synced and its hash is right. Errors:
  // unavailable (call again later), damaged (the bytes are wrong: the part file was dropped, the next
  // call starts over), not_found, no_space.
  [[nodiscard]] Result<bool> next(HttpClient& cloud);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t bytes_pulled() const { return pulled_; }  // by this object

 private:
  TargetFetch(Files& files, wire::TargetFile target, std::string url_path, std::string path)
      : files_(&files), target_(std::move(target)), url_path_(std::move(url_path)), path_(std::move(path)) {}
  [[nodiscard]] Result<> check_hash();

  Files* files_;
  wire::TargetFile target_;
  std::string url_path_;
  std::string path_;
  std::uint64_t have_ = 0;
  std::uint64_t pulled_ = 0;
};

}  // namespace hone::edge
