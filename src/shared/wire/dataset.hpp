// The manifest of a dataset version: which shards make up its training part and its holdout.
// Its canonical bytes are hashed to name the version, so a version can never change.
// Each shard is four .npy blobs of equal length: x, y, t as in a batch, and d, the row's device
// as an index (I32) into `devices`. docs/formats/dataset.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "shared/wire/signal.hpp"

namespace hone::wire {

struct Shard {
  std::int64_t rows = 0;
  BlobHash x, y, t, d;
};

struct DatasetManifest {
  PipelineName pipeline;
  Signal signal;
  std::vector<std::string> devices;
  std::vector<Shard> training;  // in the order in which the samples came
  std::vector<Shard> holdout;   // never trained on

  [[nodiscard]] std::int64_t training_rows() const;
  [[nodiscard]] std::int64_t holdout_rows() const;
};

[[nodiscard]] Bytes canonical_bytes(const DatasetManifest& manifest);  // sorted keys, no spaces
[[nodiscard]] DatasetHash hash_of(const DatasetManifest& manifest);
[[nodiscard]] Result<DatasetManifest> dataset_manifest_from(ByteView bytes);

}  // namespace hone::wire
