// The folder in which a command finds its data:
//
//   dataset.json   {"format": 1, "pipeline", "dataset", "signal", "rows", "shards": [{"rows", "x", "y"}, ...]}
//   x-0000.npy     raw samples in the signal's dtype, [rows, ...signal.shape]
//   y-0000.npy     <i8, label index within signal.labels, -1: none
//   x-0001.npy     ...
//
// docs/trainers.md describes it for whoever writes a command.
#pragma once

#include <cstdint>
#include <string>

#include "base/files.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "trainer/rows.hpp"

namespace hone::trainer {

constexpr std::uint64_t kSnapshotShardBytesMax = std::uint64_t{64} << 20;  // of x; at least one row a shard

// Makes the folder. Not synced: it is thrown away after use. Errors: no_space, unavailable.
[[nodiscard]] Result<> write_snapshot(Files& files, const std::string& folder, const PipelineName& pipeline,
                                      const DatasetHash& dataset, const Rows& rows,
                                      std::uint64_t shard_bytes_max = kSnapshotShardBytesMax);

}  // namespace hone::trainer
