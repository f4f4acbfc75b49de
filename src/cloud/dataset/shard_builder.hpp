// Rows of one part, in the order in which they came, cut into shards of a fixed number of rows.
// The cut depends on nothing but the row sequence, so the same data gives the same shards,
// whenever and in whatever pieces the work was done.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "cloud/dataset/split.hpp"
#include "cloud/ingest/blob_store.hpp"
#include "shared/wire/dataset.hpp"
#include "shared/wire/signal.hpp"

namespace hone::cloud {

// The largest power of two whose x is at most 4 MiB; between 1 and 65,536 rows.
[[nodiscard]] std::int64_t rows_per_shard(const wire::Signal& signal);

// Not for use by two threads at once.
class ShardBuilder {
 public:
  explicit ShardBuilder(wire::Signal signal);

  void append(ByteView x, std::int64_t y, std::int64_t t, std::int32_t device);
  [[nodiscard]] std::int64_t rows() const { return static_cast<std::int64_t>(y_.size()); }  // waiting

  // Writes what makes full shards as .npy blobs. The rows stay until drop(), when the shards are recorded.
  [[nodiscard]] Result<std::vector<wire::Shard>> write_full(BlobStore& blobs) const;
  // Writes the rows that make no full shard.
  [[nodiscard]] Result<wire::Shard> write_rest(BlobStore& blobs) const;

  void drop(std::int64_t rows);  // the first ones
  void keep(std::int64_t rows);  // the first ones; the others go

 private:
  [[nodiscard]] Result<wire::Shard> write(BlobStore& blobs, std::int64_t begin, std::int64_t rows) const;

  const wire::Signal signal_;
  const std::int64_t rows_per_shard_;
  Bytes x_;
  std::vector<std::int64_t> y_, t_;
  std::vector<std::int32_t> d_;
};

}  // namespace hone::cloud
