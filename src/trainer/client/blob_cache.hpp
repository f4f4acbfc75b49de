// Blobs of the cloud by their hash, kept in a folder so that the shards of the last dataset
// version are not fetched again for the next one. Every blob is verified whenever it is read.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "base/bytes.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/http.hpp"
#include "base/result.hpp"

namespace hone::trainer {

// Not for use by two threads at once. The ports must outlive it.
class BlobCache {
 public:
  BlobCache(Files& files, HttpClient& http, std::string folder, std::uint64_t bytes_max)
      : files_(files), http_(http), folder_(std::move(folder)), bytes_max_(bytes_max) {}

  // From the folder, else from the cloud. `damaged` when what came has another hash or is larger
  // than `bytes_max`; else the cloud's error.
  [[nodiscard]] Result<Bytes> get(const Sha256& hash, std::uint64_t bytes_max);

  // Removes blobs that were not asked for since the last call until the folder is within its bound.
  void prune();

 private:
  [[nodiscard]] std::string path_of(const Sha256& hash) const { return folder_ + "/" + hash.hex(); }
  [[nodiscard]] Result<Bytes> fetch(const Sha256& hash, std::uint64_t bytes_max);
  void keep(const Sha256& hash, ByteView bytes);

  Files& files_;
  HttpClient& http_;
  std::string folder_;
  std::uint64_t bytes_max_;  // of the folder
  std::set<std::string> used_;
};

}  // namespace hone::trainer
