// The data of one pipeline, always nearly ready: batches are split into training and holdout and
// written as shards as they come, in small pieces, so that cutting a version only has to write the
// two unfinished shards and a manifest.
//
// All that is in memory can be read again from the stores: after a crash, open() continues where
// the last record stands. Not for use by two threads at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cloud/dataset/dataset_store.hpp"
#include "cloud/dataset/shard_builder.hpp"
#include "cloud/ingest/blob_store.hpp"
#include "shared/pipeline/pipeline.hpp"

namespace hone::cloud {

// What the stored rows of a pipeline look like and were split by, and what therefore cannot change any more: the signal,
// and of a stream its window and rate.
[[nodiscard]] std::string rows_text(const Pipeline& pipeline);

class Dataset {
 public:
  // `blobs` and `store` must outlive it. `invalid` when the file's signal is not that of the stored rows.
  // The holdout fraction that decided about stored rows stays: a row that was trained on can never become
  // one that is measured on.
  [[nodiscard]] static Result<std::unique_ptr<Dataset>> open(const Pipeline& pipeline, BlobStore& blobs,
                                                             DatasetStore& store);

  // Splits at most one batch. True when there was one.
  [[nodiscard]] Result<bool> step();

  // Makes a version of all that is split. The same data gives the same hash.
  // `invalid` when there are no rows in either part yet.
  [[nodiscard]] Result<DatasetVersion> cut(Time now);

  [[nodiscard]] const SplitRule& rule() const { return rule_; }

 private:
  Dataset(const Pipeline& pipeline, SplitRule rule, BlobStore& blobs, DatasetStore& store);
  [[nodiscard]] Result<> read_unsealed();
  [[nodiscard]] Result<SplitBatch> split(const PendingBatch& batch, std::int64_t skip_training,
                                         std::int64_t skip_holdout);
  [[nodiscard]] Result<std::vector<SealedShard>> write_full();
  void drop_sealed(const std::vector<SealedShard>& sealed);
  [[nodiscard]] ShardBuilder& builder(Part part) { return part == Part::training ? training_ : holdout_; }

  const PipelineName name_;
  const wire::Signal signal_;
  const SplitRule rule_;
  BlobStore& blobs_;
  DatasetStore& store_;
  ShardBuilder training_, holdout_;  // rows in no sealed shard
};

}  // namespace hone::cloud
