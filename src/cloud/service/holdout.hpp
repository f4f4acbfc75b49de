// The rows of one part of a dataset version, shard by shard and block by block, so that memory does not grow with it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "cloud/ingest/blob_store.hpp"
#include "shared/wire/dataset.hpp"
#include "shared/wire/stream.hpp"

namespace hone::cloud {

[[nodiscard]] Result<wire::DatasetManifest> load_dataset(BlobStore& blobs, const DatasetHash& hash);

// `x`: `rows` whole rows in the signal's dtype; borrowed for the call. An error ends the reading.
using TakeRows = std::function<Result<>(ByteView x, std::int64_t rows)>;

// At most `rows_at_once` rows a call, in order. A shard that cannot be read is `unavailable`: it is the disk's fault
// and never the candidate's.
[[nodiscard]] Result<> read_rows(BlobStore& blobs, const std::vector<wire::Shard>& shards, std::size_t sample_bytes,
                                 std::int64_t rows_at_once, const TakeRows& take);

// One a row, -1: none.
[[nodiscard]] Result<std::vector<std::int64_t>> read_labels(BlobStore& blobs, const std::vector<wire::Shard>& shards);

// Which block of which device's time each row comes from, counted from 0 in the order of their first rows.
[[nodiscard]] Result<std::vector<std::uint32_t>> read_blocks(BlobStore& blobs, const std::vector<wire::Shard>& shards,
                                                             const wire::TimeBlocks& blocks);

}  // namespace hone::cloud
