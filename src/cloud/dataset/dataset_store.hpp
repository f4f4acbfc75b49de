// What the dataset stage asks of a database: which batches are split, which shards are sealed, which
// versions exist. Each call is one transaction, durable when it returns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "cloud/dataset/split.hpp"
#include "shared/wire/dataset.hpp"

namespace hone::cloud {

struct PendingBatch {
  std::int64_t number = 0;  // ascending in the order in which batches came
  DeviceId device;
  BlobHash blob;
};

struct SplitBatch {
  std::int64_t number = 0;
  DeviceId device;
  BlobHash blob;
  std::int64_t training_rows = 0;
  std::int64_t holdout_rows = 0;
};

struct SealedShard {
  Part part = Part::training;
  wire::Shard shard;
};

struct DatasetTotals {
  // Of all batches that are split.
  std::int64_t training = 0;
  std::int64_t holdout = 0;
  std::int64_t labelled = 0;
  Time last_received{};  // the newest
  // Of all batches.
  std::int64_t received_batches = 0;
  std::int64_t received_rows = 0;
  std::int64_t received_bytes = 0;
  std::int64_t versions = 0;  // that were cut
};

// What decided about the rows that are stored, and so cannot change any more.
struct SplitFixed {
  std::string signal;  // canonical JSON
  double holdout = 0;  // fraction
};

struct DatasetVersion {
  DatasetHash hash;
  PipelineName pipeline;
  std::int64_t training_rows = 0;
  std::int64_t holdout_rows = 0;
  Time created{};
};

class DatasetStore {
 public:
  virtual ~DatasetStore() = default;

  // `wanted` is kept while no batch is stored; afterwards the answer is what was kept then.
  [[nodiscard]] virtual Result<SplitFixed> fix_split(const PipelineName& pipeline, const SplitFixed& wanted) = 0;

  [[nodiscard]] virtual Result<std::vector<PendingBatch>> unsplit(const PipelineName& pipeline, int count_max) = 0;
  // Batches some of whose rows are in no sealed shard yet, oldest first: what a restart reads again.
  [[nodiscard]] virtual Result<std::vector<SplitBatch>> split_since_sealed(const PipelineName& pipeline) = 0;
  // The rows of `part` in all batches before `number`.
  [[nodiscard]] virtual Result<std::int64_t> rows_before(const PipelineName& pipeline, Part part,
                                                         std::int64_t number) = 0;
  [[nodiscard]] virtual Result<std::vector<wire::Shard>> shards(const PipelineName& pipeline, Part part) = 0;

  // Devices in the order in which they first sent; a device keeps its place. Adds `device` when new.
  [[nodiscard]] virtual Result<std::int32_t> place_of(const PipelineName& pipeline, const DeviceId& device) = 0;
  [[nodiscard]] virtual Result<std::vector<std::string>> devices(const PipelineName& pipeline) = 0;

  [[nodiscard]] virtual Result<> record_split(const PipelineName& pipeline, const std::vector<SplitBatch>& batches,
                                              const std::vector<SealedShard>& shards) = 0;

  [[nodiscard]] virtual Result<DatasetTotals> totals(const PipelineName& pipeline) = 0;
  [[nodiscard]] virtual Result<> add_version(const DatasetVersion& version) = 0;  // again: nothing changes
  [[nodiscard]] virtual Result<std::optional<DatasetVersion>> version(const DatasetHash& hash) = 0;
};

}  // namespace hone::cloud
