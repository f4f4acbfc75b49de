#include "cloud/service/judge.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "base/hash.hpp"
#include "cloud/gate/evaluate.hpp"
#include "cloud/gate/gate.hpp"
#include "cloud/gate/leak.hpp"
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
  if (!column) return fail(Code::unavailable, "dataset shard " + hash.hex() + ": " + column.error().context);
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

// Of the question alone, so that nobody can try seeds until one promotes.
std::uint64_t seed_of(const DatasetHash& dataset, const ModelHash& candidate) {
  const Sha256 hash = sha256(as_bytes(dataset.hex() + " " + candidate.hex()));
  std::uint64_t seed = 0;
  for (std::size_t byte = 0; byte < 8; ++byte) seed = seed << 8 | hash.bytes[byte];
  return seed;
}

Judgement rejected(const Error& error) {
  Judgement judgement;
  judgement.decision = name_of(Decision::reject);
  judgement.reason = "the candidate cannot be used: " + error.context;
  judgement.numbers = {{"error", error.context}};
  return judgement;
}

// Whether the two models can be asked for what the metric compares: for accuracy, F1 and AUC their scores say it. The
// Silhouette needs the feature space of the first release beside the clusters, and the port gives the clusters only.
bool can_measure(Metric metric) {
  return metric != Metric::silhouette && metric != Metric::score && metric != Metric::reconstruction;
}

Judgement not_judged(Metric metric) {
  Judgement judgement;
  judgement.decision = name_of(Decision::hold);
  judgement.reason = "this version cannot judge candidates by the metric \"" + std::string(name_of(metric)) +
                     "\" yet, so nothing is released; the trained model is kept, and a recipe that "
                     "learns labels is judged";
  judgement.numbers = {{"error", judgement.reason}};
  judgement.metric = name_of(metric);
  return judgement;
}

}  // namespace

Result<wire::DatasetManifest> load_dataset(BlobStore& blobs, const DatasetHash& hash) {
  HONE_TRY(const Bytes bytes, blobs.get(BlobHash{hash.sha256}, kManifestBytesMax));
  return wire::dataset_manifest_from(bytes);
}

Result<Judgement> Judge::judge(const GateRules& rules, const DatasetHash& dataset_hash, const ModelHash& candidate,
                               const std::optional<ModelHash>& deployed, const std::optional<Look>& last_look) {
  if (!can_measure(rules.metric)) return not_judged(rules.metric);
  HONE_TRY(const auto dataset, load_dataset(blobs_, dataset_hash));
  HONE_TRY(const auto labels, holdout_labels(blobs_, dataset));
  if (deployed) HONE_CHECK(measure_ahead(rules.metric, dataset_hash, *deployed));
  HONE_CHECK(find_twins(dataset_hash, dataset));

  const auto answers = ask(rules.metric, dataset, candidate);
  if (!answers) {
    const Code code = answers.error().code;
    const bool its_fault = code == Code::invalid || code == Code::damaged;
    if (its_fault) return rejected(answers.error());
    return fail(answers.error());
  }
  std::optional<std::span<const double>> deployed_answers;
  if (deployed) deployed_answers = ahead_->rows;
  HONE_TRY(auto facts, facts_from_answers(rules.metric, *answers, deployed_answers, labels, dataset.signal.labels,
                                          twins_->rows));
  if (facts.deployed) {
    facts.deployed->look = next_look(last_look, facts.candidate.measured_rows);
    facts.deployed->seed = seed_of(dataset_hash, candidate);
    if (facts.deployed->rows.size() > 0) {
      HONE_TRY([[maybe_unused]] const BlobHash kept, blobs_.put(rows_to_npy(facts.deployed->rows)));
    }
  }

  GateRecord record;
  record.policy = GatePolicy::from(rules);
  record.deployed = std::move(facts.deployed);
  record.candidate = std::move(facts.candidate);
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

Result<> Judge::measure_ahead(Metric metric, const DatasetHash& dataset_hash, const ModelHash& deployed) {
  if (!can_measure(metric)) return {};
  if (ahead_ && ahead_->metric == metric && ahead_->dataset == dataset_hash && ahead_->model == deployed) return {};
  HONE_TRY(const auto dataset, load_dataset(blobs_, dataset_hash));
  auto rows = ask(metric, dataset, deployed);
  if (!rows) return fail(rows.error().within("measure the deployed model"));
  ahead_ = Answers{metric, dataset_hash, deployed, std::move(*rows)};
  return find_twins(dataset_hash, dataset);
}

// Shard by shard, so that memory does not grow with the training part.
Result<> Judge::find_twins(const DatasetHash& hash, const wire::DatasetManifest& dataset) {
  if (twins_ && twins_->dataset == hash) return {};
  LeakCheck check(dataset.signal);
  const std::size_t sample = dataset.signal.sample_bytes();
  for (const auto& shard : dataset.holdout) {
    HONE_TRY(const auto column, load_column(blobs_, shard.x, static_cast<std::size_t>(shard.rows) * sample));
    check.add_holdout(column.data());
  }
  check.prepare();
  for (const auto& shard : dataset.training) {
    HONE_TRY(const auto column, load_column(blobs_, shard.x, static_cast<std::size_t>(shard.rows) * sample));
    check.add_training(column.data());
  }
  twins_ = Twins{hash, check.twins()};
  return {};
}

// Shard by shard, so that memory does not grow with the holdout.
Result<std::vector<double>> Judge::ask(Metric metric, const wire::DatasetManifest& dataset, const ModelHash& model) {
  HONE_TRY(const Bytes onnx, blobs_.get(BlobHash{model.sha256}, kModelBytesMax));
  HONE_TRY(const auto runner, runtime_.load(onnx, dataset.signal));
  const auto width = static_cast<std::size_t>(runner->width());
  const std::size_t sample = dataset.signal.sample_bytes();
  std::vector<double> answers;
  std::vector<float> scores;
  for (const auto& shard : dataset.holdout) {
    HONE_TRY(const auto column, load_column(blobs_, shard.x, static_cast<std::size_t>(shard.rows) * sample));
    for (std::int64_t row = 0; row < shard.rows; row += kRowsAtOnce) {
      const std::int64_t rows = std::min(kRowsAtOnce, shard.rows - row);
      const auto inputs =
          column.data().subspan(static_cast<std::size_t>(row) * sample, static_cast<std::size_t>(rows) * sample);
      scores.resize(static_cast<std::size_t>(rows) * width);
      HONE_CHECK(runner->run(inputs, rows, scores));
      HONE_TRY(const auto some, answers_of(metric, scores, runner->width(), dataset.signal.labels.size()));
      answers.insert(answers.end(), some.begin(), some.end());
    }
  }
  return answers;
}

}  // namespace hone::cloud
