#include "cloud/service/judge.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "cloud/gate/evaluate.hpp"
#include "cloud/gate/gate.hpp"
#include "shared/metrics/accuracy.hpp"
#include "shared/wire/npy.hpp"

namespace hone::cloud {
namespace {

constexpr std::int64_t kRowsAtOnce = 256;
constexpr std::uint64_t kManifestBytesMax = 64u << 20;

// The elements of one shard's .npy blob, whose size is checked against the manifest.
struct ShardColumn {
  Bytes file;
  std::size_t offset = 0;
  [[nodiscard]] ByteView data() const { return ByteView(file).subspan(offset); }
};

Result<ShardColumn> parse_column(BlobStore& blobs, const BlobHash& hash, std::size_t bytes) {
  ShardColumn column;
  HONE_TRY(column.file, blobs.get(hash, kShardBytesMax));
  HONE_TRY(const wire::NpyHeader header, wire::parse_npy(column.file, column.file.size()));
  if (header.data_bytes != bytes) return fail(Code::damaged, "it has another size than its manifest says");
  column.offset = header.data_offset;
  return column;
}

// A shard that cannot be read is the disk's fault and never the candidate's.
Result<ShardColumn> load_column(BlobStore& blobs, const BlobHash& hash, std::size_t bytes) {
  auto column = parse_column(blobs, hash, bytes);
  if (!column) return fail(Code::unavailable, "holdout shard " + hash.hex() + ": " + column.error().context);
  return column;
}

Result<std::vector<std::int64_t>> holdout_labels(BlobStore& blobs, const wire::DatasetManifest& dataset) {
  std::vector<std::int64_t> labels;
  for (const auto& shard : dataset.holdout) {
    const auto rows = static_cast<std::size_t>(shard.rows);
    HONE_TRY(const auto column, load_column(blobs, shard.y, rows * 8));
    for (std::size_t row = 0; row < rows; ++row) {
      std::uint64_t bits = 0;
      for (std::size_t byte = 8; byte-- > 0;) bits = bits << 8 | column.data()[row * 8 + byte];
      labels.push_back(static_cast<std::int64_t>(bits));
    }
  }
  return labels;
}

Judgement rejected(const Error& error) {
  Judgement judgement;
  judgement.decision = name_of(Decision::reject);
  judgement.reason = "the candidate cannot be used: " + error.context;
  judgement.numbers = {{"error", error.context}};
  return judgement;
}

}  // namespace

Result<wire::DatasetManifest> load_dataset(BlobStore& blobs, const DatasetHash& hash) {
  HONE_TRY(const Bytes bytes, blobs.get(BlobHash{hash.sha256}, kManifestBytesMax));
  return wire::dataset_manifest_from(bytes);
}

Result<Judgement> Judge::judge(const GateRules& rules, const DatasetHash& dataset_hash, const ModelHash& candidate,
                               const std::optional<ModelHash>& deployed) {
  HONE_TRY(const auto dataset, load_dataset(blobs_, dataset_hash));
  HONE_TRY(const auto labels, holdout_labels(blobs_, dataset));
  if (deployed) HONE_CHECK(measure_ahead(dataset_hash, *deployed));

  const auto classes = predict(dataset, candidate);
  if (!classes) {
    const Code code = classes.error().code;
    const bool its_fault = code == Code::invalid || code == Code::damaged;
    if (its_fault) return rejected(classes.error());
    return fail(classes.error());
  }
  std::optional<std::span<const std::int32_t>> deployed_classes;
  if (deployed) deployed_classes = ahead_->classes;
  HONE_TRY(const auto facts, facts_from_predictions(*classes, deployed_classes, labels, dataset.signal.labels));

  GateRecord record;
  record.policy = GatePolicy::from(rules);
  record.deployed = facts.deployed;
  record.candidate = facts.candidate;
  record.verdict = decide(record.policy, record.deployed, record.candidate);
  Judgement judgement;
  judgement.decision = name_of(record.verdict.decision);
  judgement.reason = record.verdict.reason;
  judgement.numbers = to_json(record);
  judgement.promote = record.verdict.decision == Decision::promote;
  judgement.metric = record.verdict.metric;
  judgement.metric_value = record.verdict.candidate_metric;
  judgement.goal_met = record.verdict.goal_met;
  return judgement;
}

Result<> Judge::measure_ahead(const DatasetHash& dataset_hash, const ModelHash& deployed) {
  if (ahead_ && ahead_->dataset == dataset_hash && ahead_->model == deployed) return {};
  HONE_TRY(const auto dataset, load_dataset(blobs_, dataset_hash));
  auto classes = predict(dataset, deployed);
  if (!classes) return fail(classes.error().within("measure the deployed model"));
  ahead_ = Predictions{dataset_hash, deployed, std::move(*classes)};
  return {};
}

// Shard by shard, so that memory does not grow with the holdout.
Result<std::vector<std::int32_t>> Judge::predict(const wire::DatasetManifest& dataset, const ModelHash& model) {
  HONE_TRY(const Bytes onnx, blobs_.get(BlobHash{model.sha256}, kModelBytesMax));
  HONE_TRY(const auto runner, runtime_.load(onnx, dataset.signal));
  const auto width = static_cast<std::size_t>(runner->width());
  if (width != dataset.signal.labels.size()) {
    return fail(Code::invalid, "the model gives " + std::to_string(width) + " scores, the pipeline has " +
                                   std::to_string(dataset.signal.labels.size()) + " labels");
  }
  const std::size_t sample = dataset.signal.sample_bytes();
  std::vector<std::int32_t> classes;
  std::vector<float> scores;
  for (const auto& shard : dataset.holdout) {
    HONE_TRY(const auto column, load_column(blobs_, shard.x, static_cast<std::size_t>(shard.rows) * sample));
    for (std::int64_t row = 0; row < shard.rows; row += kRowsAtOnce) {
      const std::int64_t rows = std::min(kRowsAtOnce, shard.rows - row);
      const auto inputs =
          column.data().subspan(static_cast<std::size_t>(row) * sample, static_cast<std::size_t>(rows) * sample);
      scores.resize(static_cast<std::size_t>(rows) * width);
      HONE_CHECK(runner->run(inputs, rows, scores));
      const auto best = metrics::argmax_rows(scores, runner->width());
      classes.insert(classes.end(), best.begin(), best.end());
    }
  }
  return classes;
}

}  // namespace hone::cloud
