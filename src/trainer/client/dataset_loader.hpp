// A part of a dataset version, from the cloud into memory.
#pragma once

#include <cstdint>

#include "base/http.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "shared/wire/dataset.hpp"
#include "shared/wire/signal.hpp"
#include "trainer/client/blob_cache.hpp"
#include "trainer/rows.hpp"

namespace hone::trainer {

constexpr std::uint64_t kDatasetManifestBytesMax = 64u << 20;

// `damaged` when the manifest has another hash than the one asked for, or is none.
[[nodiscard]] Result<wire::DatasetManifest> fetch_manifest(HttpClient& http, const DatasetHash& dataset);

// Appends the rows of one shard, and of a stream (rows.stream) when each was sensed.
// `damaged` or `unavailable` as the cache says; `invalid` when the shard does not fit the signal.
[[nodiscard]] Result<> append_shard(BlobCache& cache, const wire::Shard& shard, Rows& rows);

}  // namespace hone::trainer
