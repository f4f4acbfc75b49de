#include "cloud/service/judge.hpp"

#include <span>
#include <utility>

#include "base/hash.hpp"
#include "cloud/gate/evaluate.hpp"
#include "cloud/gate/gate.hpp"
#include "cloud/gate/leak.hpp"
#include "cloud/service/answers.hpp"
#include "cloud/service/evaluation.hpp"
#include "cloud/service/evidence.hpp"
#include "cloud/service/holdout.hpp"

namespace hone::cloud {
namespace {

constexpr std::int64_t kTwinRowsAtOnce = 4096;

// Of the question alone, so that nobody can try seeds until one promotes.
std::uint64_t seed_of(const std::string& question) {
  const Sha256 hash = sha256(as_bytes(question));
  std::uint64_t seed = 0;
  for (std::size_t byte = 0; byte < 8; ++byte) seed = seed << 8 | hash.bytes[byte];
  return seed;
}

// The candidate's own, and not the disk's.
bool its_fault(const Error& error) { return error.code == Code::invalid || error.code == Code::damaged; }

Judgement rejected(const Error& error) {
  Judgement judgement;
  judgement.decision = name_of(Decision::reject);
  judgement.reason = "the candidate cannot be used: " + error.context;
  judgement.numbers = {{"error", error.context}};
  return judgement;
}

// For metrics that no model is asked for yet (answers.hpp).
Judgement not_judged(Metric metric) {
  Judgement judgement;
  judgement.decision = name_of(Decision::hold);
  judgement.reason = "this version cannot judge candidates by the metric \"" + std::string(name_of(metric)) +
                     "\" yet, so nothing is released; the trained model is kept";
  judgement.numbers = {{"error", judgement.reason}};
  judgement.metric = name_of(metric);
  return judgement;
}

Judgement judgement_of(const GateRecord& record) {
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

}  // namespace

Result<Judgement> Judge::judge(const Question& question) {
  if (!question.figures && !can_ask(question.pipeline.gate.metric)) return not_judged(question.pipeline.gate.metric);
  HONE_TRY(const auto dataset, load_dataset(blobs_, question.dataset));
  if (question.figures) return judge_figures(question, dataset);
  HONE_CHECK(ask_deployed(question, dataset));
  HONE_CHECK(find_kin(question.pipeline, question.dataset, dataset));
  const Asking asking{blobs_, runtime_, dataset};
  const Metric metric = question.pipeline.gate.metric;
  const auto answers = ask(asking, metric, question.candidate);
  if (!answers) {
    if (its_fault(answers.error())) return rejected(answers.error());
    return fail(answers.error());
  }
  if (metric == Metric::silhouette) {
    HONE_TRY(const ModelHash ruler, find_ruler(asking, question.released, question.candidate));
    HONE_CHECK(find_space(question.dataset, dataset, ruler));
  }
  return decide_on(question, dataset, *answers);
}

// Both models' figures come from one run of one program: when those of the deployed model are none, there is nothing to
// compare with, and that is no reason to take the candidate for a first model.
Result<Judgement> Judge::judge_figures(const Question& question, const wire::DatasetManifest& dataset) {
  const std::int64_t rows = dataset.holdout_rows();
  const auto candidate = read_figures(blobs_, question.figures->candidate, rows);
  if (!candidate && its_fault(candidate.error())) return rejected(candidate.error());
  if (!candidate) return fail(candidate.error());
  if (question.figures->base && !question.released.empty()) {
    auto deployed = read_figures(blobs_, *question.figures->base, rows);
    if (!deployed && its_fault(deployed.error())) return rejected(deployed.error().within("of the deployed model"));
    if (!deployed) return fail(deployed.error());
    deployed_ = Answers{Metric::score, question.dataset, question.released.back(), std::move(*deployed), {}};
  }
  HONE_CHECK(find_kin(question.pipeline, question.dataset, dataset));
  return decide_on(question, dataset, *candidate);
}

Result<Judgement> Judge::decide_on(const Question& question, const wire::DatasetManifest& dataset,
                                   const std::vector<double>& answers) {
  HONE_TRY(const auto labels, read_labels(blobs_, dataset.holdout));
  const GateRules& rules = question.pipeline.gate;
  Evidence evidence{rules.metric, answers, {}, labels, dataset.signal.labels, kin_->kinship(), nullptr, 0, 1};
  evidence.seed = seed_of(question.dataset.hex() + " " + question.candidate.hex());
  evidence.measured_max = question.pipeline.train.kmeans.silhouette_rows;
  const bool comparable = !question.released.empty() && deployed_->refused.empty();
  if (comparable) evidence.deployed = deployed_->rows;
  if (rules.metric == Metric::silhouette) evidence.space = &space_->space;
  HONE_TRY(auto facts, facts_from(evidence));
  if (facts.deployed) {
    // Of clusterings all rows: however many are drawn of them, others are drawn when the holdout has grown.
    const bool drawn = rules.metric == Metric::silhouette;
    facts.deployed->look = next_look(question.last_look, drawn ? facts.candidate.rows : facts.candidate.measured_rows);
    facts.deployed->seed = evidence.seed;
    if (facts.deployed->rows.size() > 0) {
      HONE_TRY([[maybe_unused]] const BlobHash kept, blobs_.put(rows_to_npy(facts.deployed->rows)));
    }
  }
  GateRecord record;
  record.policy = GatePolicy::from(rules);
  record.deployed = std::move(facts.deployed);
  record.candidate = std::move(facts.candidate);
  record.verdict = decide(record.policy, record.deployed, record.candidate);
  Judgement judgement = judgement_of(record);
  if (!question.released.empty() && !comparable) judgement.numbers["not_compared"] = deployed_->refused;
  return judgement;
}

Result<double> Judge::measure(Metric metric, const DatasetHash& dataset_hash, const ModelHash& model) {
  if (!can_ask(metric) || metric == Metric::silhouette)
    return fail(Code::invalid, "an export is not measured by the metric \"" + std::string(name_of(metric)) + "\"");
  HONE_TRY(const auto dataset, load_dataset(blobs_, dataset_hash));
  HONE_TRY(const auto labels, read_labels(blobs_, dataset.holdout));
  HONE_TRY(const auto answers, ask({blobs_, runtime_, dataset}, metric, model));
  HONE_TRY(const auto facts, facts_from({metric, answers, {}, labels, dataset.signal.labels, {}, nullptr, 0, 1}));
  return facts.candidate.metric;
}

Result<> Judge::measure_ahead(const Question& question) {
  if (question.released.empty() || !can_ask(question.pipeline.gate.metric)) return {};
  HONE_TRY(const auto dataset, load_dataset(blobs_, question.dataset));
  HONE_CHECK(ask_deployed(question, dataset));
  if (question.pipeline.gate.metric == Metric::silhouette) {
    const Asking asking{blobs_, runtime_, dataset};
    HONE_TRY(const ModelHash ruler, find_ruler(asking, question.released, question.candidate));
    if (ruler != question.candidate) HONE_CHECK(find_space(question.dataset, dataset, ruler));
  }
  return find_kin(question.pipeline, question.dataset, dataset);
}

Result<> Judge::ask_deployed(const Question& question, const wire::DatasetManifest& dataset) {
  if (question.released.empty()) return {};
  const Metric metric = question.pipeline.gate.metric;
  const ModelHash& model = question.released.back();
  if (deployed_ && deployed_->metric == metric && deployed_->dataset == question.dataset && deployed_->model == model)
    return {};
  auto rows = ask({blobs_, runtime_, dataset}, metric, model);
  if (rows) {
    deployed_ = Answers{metric, question.dataset, model, std::move(*rows), {}};
  } else if (rows.error().code == Code::invalid) {
    deployed_ = Answers{metric, question.dataset, model, {}, rows.error().context};
  } else {
    return fail(rows.error().within("measure the deployed model"));
  }
  return {};
}

// Block by block, so that memory does not grow with the training part.
Result<> Judge::find_kin(const Pipeline& pipeline, const DatasetHash& hash, const wire::DatasetManifest& dataset) {
  if (kin_ && kin_->dataset == hash) return {};
  std::vector<std::uint32_t> blocks;
  if (pipeline.stream) {
    HONE_TRY(blocks, read_blocks(blobs_, dataset.holdout, wire::time_blocks(*pipeline.stream)));
  }
  LeakCheck check(dataset.signal);
  const std::size_t sample = dataset.signal.sample_bytes();
  HONE_CHECK(read_rows(blobs_, dataset.holdout, sample, kTwinRowsAtOnce, [&](ByteView x, std::int64_t) -> Result<> {
    check.add_holdout(x);
    return {};
  }));
  check.prepare();
  HONE_CHECK(read_rows(blobs_, dataset.training, sample, kTwinRowsAtOnce, [&](ByteView x, std::int64_t) -> Result<> {
    check.add_training(x);
    return {};
  }));
  kin_ = Kin{hash, check.twins(), std::move(blocks)};
  return {};
}

Result<> Judge::find_space(const DatasetHash& hash, const wire::DatasetManifest& dataset, const ModelHash& ruler) {
  if (space_ && space_->dataset == hash && space_->space.ruler == ruler) return {};
  space_.reset();
  HONE_TRY(auto space, measure_space({blobs_, runtime_, dataset}, ruler, seed_of(hash.hex())));
  space_ = Space{hash, std::move(space)};
  return {};
}

}  // namespace hone::cloud
