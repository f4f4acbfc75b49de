#include "cloud/dataset/dataset.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "shared/wire/batch.hpp"

namespace hone::cloud {

std::string rows_text(const Pipeline& pipeline) {
  Json text = wire::to_json(pipeline.signal);
  if (pipeline.stream) text["stream"] = {{"window", pipeline.stream->window}, {"rate_hz", pipeline.stream->rate_hz}};
  return text.dump();
}

Result<std::unique_ptr<Dataset>> Dataset::open(const Pipeline& pipeline, BlobStore& blobs, DatasetStore& store) {
  SplitRule rule;
  const std::string signal = rows_text(pipeline);
  HONE_TRY(const SplitFixed fixed, store.fix_split(pipeline.name, {signal, pipeline.gate.holdout}));
  if (fixed.signal != signal) {
    return fail(Code::invalid, "pipeline '" + pipeline.name.value + "' has stored samples of another signal (" +
                                   fixed.signal + "): change [signal] back, or give the pipeline another name");
  }
  rule.holdout = fixed.holdout;
  if (pipeline.stream) rule.blocks = wire::time_blocks(*pipeline.stream);
  std::unique_ptr<Dataset> dataset(new Dataset(pipeline, rule, blobs, store));
  if (auto read = dataset->read_unsealed(); !read) {
    return fail(read.error().within("dataset of " + pipeline.name.value));
  }
  return dataset;
}

Dataset::Dataset(const Pipeline& pipeline, SplitRule rule, BlobStore& blobs, DatasetStore& store)
    : name_(pipeline.name),
      signal_(pipeline.signal),
      rule_(rule),
      blobs_(blobs),
      store_(store),
      training_(pipeline.signal),
      holdout_(pipeline.signal) {}

Result<bool> Dataset::step() {
  HONE_TRY(const auto pending, store_.unsplit(name_, 1));
  if (pending.empty()) return false;
  const std::int64_t training_before = training_.rows();
  const std::int64_t holdout_before = holdout_.rows();

  const auto record = [&]() -> Result<> {
    HONE_TRY(const SplitBatch done, split(pending.front(), 0, 0));
    HONE_TRY(const auto sealed, write_full());
    HONE_CHECK(store_.record_split(name_, {done}, sealed));
    drop_sealed(sealed);
    return {};
  };
  if (auto recorded = record(); !recorded) {
    // Not recorded: the batch will be split again, so its rows must not stay here.
    training_.keep(training_before);
    holdout_.keep(holdout_before);
    return fail(recorded.error().within("split batch " + std::to_string(pending.front().number)));
  }
  return true;
}

Result<DatasetVersion> Dataset::cut(Time now) {
  wire::DatasetManifest manifest;
  manifest.pipeline = name_;
  manifest.signal = signal_;
  HONE_TRY(manifest.devices, store_.devices(name_));
  for (const Part part : {Part::training, Part::holdout}) {
    auto& shards = part == Part::training ? manifest.training : manifest.holdout;
    HONE_TRY(shards, store_.shards(name_, part));
    if (builder(part).rows() == 0) continue;
    HONE_TRY(const wire::Shard last, builder(part).write_rest(blobs_));
    shards.push_back(last);
  }
  DatasetVersion version;
  version.pipeline = name_;
  version.training_rows = manifest.training_rows();
  version.holdout_rows = manifest.holdout_rows();
  version.created = now;
  if (version.training_rows == 0 || version.holdout_rows == 0) {
    return fail(Code::invalid, "pipeline '" + name_.value + "' has " + std::to_string(version.training_rows) +
                                   " training and " + std::to_string(version.holdout_rows) +
                                   " holdout samples: it needs both, collect more");
  }
  HONE_TRY(const BlobHash blob, blobs_.put(wire::canonical_bytes(manifest)));
  version.hash = DatasetHash{blob.sha256};
  HONE_CHECK(store_.add_version(version));
  return version;
}

Result<> Dataset::read_unsealed() {
  HONE_TRY(const auto batches, store_.split_since_sealed(name_));
  if (batches.empty()) return {};
  std::int64_t skip[2] = {0, 0};
  for (const Part part : {Part::training, Part::holdout}) {
    std::int64_t sealed = 0;
    HONE_TRY(const auto shards, store_.shards(name_, part));
    for (const auto& shard : shards) sealed += shard.rows;
    HONE_TRY(const std::int64_t before, store_.rows_before(name_, part, batches.front().number));
    skip[static_cast<int>(part)] = sealed - before;
  }
  for (const auto& batch : batches) {
    HONE_TRY(const SplitBatch again, split({batch.number, batch.device, batch.blob}, skip[0], skip[1]));
    skip[0] = std::max<std::int64_t>(0, skip[0] - again.training_rows);
    skip[1] = std::max<std::int64_t>(0, skip[1] - again.holdout_rows);
  }
  return {};
}

// Appends the batch's rows to their parts, less the first `skip_*` rows of each part.
Result<SplitBatch> Dataset::split(const PendingBatch& pending, std::int64_t skip_training, std::int64_t skip_holdout) {
  HONE_TRY(const Bytes raw, blobs_.get(pending.blob, wire::kBatchCompressedBytesMax));
  HONE_TRY(const wire::Batch batch, wire::decode_batch(raw, signal_));
  HONE_TRY(const std::int32_t device, store_.place_of(name_, pending.device));
  SplitBatch done{pending.number, pending.device, pending.blob, 0, 0};
  const std::size_t bytes = signal_.sample_bytes();
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    const ByteView x = ByteView(batch.x).subspan(row * bytes, bytes);
    const std::optional<Part> part = part_of(rule_, {x, pending.device.value, batch.t[row]});
    if (!part) continue;
    auto& count = *part == Part::training ? done.training_rows : done.holdout_rows;
    if (count++ < (*part == Part::training ? skip_training : skip_holdout)) continue;
    builder(*part).append(x, batch.y[row], batch.t[row], device);
  }
  return done;
}

Result<std::vector<SealedShard>> Dataset::write_full() {
  std::vector<SealedShard> sealed;
  for (const Part part : {Part::training, Part::holdout}) {
    HONE_TRY(const auto shards, builder(part).write_full(blobs_));
    for (const auto& shard : shards) sealed.push_back({part, shard});
  }
  return sealed;
}

void Dataset::drop_sealed(const std::vector<SealedShard>& sealed) {
  for (const auto& [part, shard] : sealed) builder(part).drop(shard.rows);
}

}  // namespace hone::cloud
