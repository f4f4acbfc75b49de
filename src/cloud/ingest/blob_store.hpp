// The port for content: bytes named by their SHA-256. Everything large that the cloud keeps goes
// through it (raw batches, shards, manifests, models, patches). Safe for use by several threads.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"

namespace hone::cloud {

class BlobStore {
 public:
  virtual ~BlobStore() = default;

  // Durable when it returns; putting the same bytes again changes nothing. Errors: no_space, unavailable.
  [[nodiscard]] virtual Result<BlobHash> put(ByteView bytes) = 0;

  // Errors: not_found, invalid (longer than `bytes_max`), damaged (the bytes rotted on disk).
  [[nodiscard]] virtual Result<Bytes> get(const BlobHash& hash, std::uint64_t bytes_max) = 0;

  [[nodiscard]] virtual Result<bool> has(const BlobHash& hash) = 0;
};

// Bounds on one blob, by what it holds.
constexpr std::uint64_t kShardBytesMax = 64u << 20;
constexpr std::uint64_t kModelBytesMax = 256u << 20;

}  // namespace hone::cloud
