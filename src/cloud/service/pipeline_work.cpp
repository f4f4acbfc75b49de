#include "cloud/service/pipeline_work.hpp"

#include <algorithm>
#include <utility>

#include "base/json.hpp"
#include "cloud/release/prepare.hpp"
#include "cloud/release/self_test.hpp"
#include "cloud/rollout/advance.hpp"
#include "cloud/rollout/offer.hpp"
#include "cloud/service/holdout.hpp"
#include "cloud/service/judge_exports.hpp"
#include "cloud/service/judge_job.hpp"
#include "cloud/train/jobs.hpp"

namespace hone::cloud {
namespace {

constexpr int kBatchesPerStep = 4;
constexpr Duration kIdle = std::chrono::seconds(2);

// Oldest first: the last one is deployed. `releases` are newest first.
std::vector<ModelHash> published_models(const std::vector<ReleaseRow>& releases) {
  std::vector<ModelHash> models;
  for (auto release = releases.rbegin(); release != releases.rend(); ++release)
    if (release->state == ReleaseState::published) models.push_back(release->model);
  return models;
}

}  // namespace

PipelineWork::PipelineWork(WorkPorts ports) : ports_(ports), judge_(*ports.stores.blobs, ports.runtime) {}

Result<Duration> PipelineWork::step(const std::shared_ptr<const Pipeline>& pipeline, Time now) {
  HONE_CHECK(open_dataset(pipeline));
  HONE_CHECK(finish_releases());
  HONE_TRY(const bool judged, judge_trained());
  if (judged) {
    HONE_CHECK(finish_releases());
  }
  HONE_TRY(const bool split, split_some());
  HONE_CHECK(roll_out());

  HONE_TRY(const auto situation, training_situation(ports_.stores, *pipeline_, now));
  HONE_TRY(const auto trigger, start_training(situation));
  if (split || judged || trigger.reason) return Duration(0);
  if (situation.facts.busy) {
    // The trainer is at work: measure what runs now, so that the gate has less to do afterwards.
    HONE_CHECK(measure_deployed_ahead(situation));
  }
  if (trigger.not_before && *trigger.not_before > now) return std::min(kIdle, *trigger.not_before - now);
  return kIdle;
}

Result<> PipelineWork::open_dataset(const std::shared_ptr<const Pipeline>& pipeline) {
  if (dataset_ && pipeline == pipeline_) return {};
  dataset_.reset();
  pipeline_ = pipeline;
  HONE_TRY(dataset_, Dataset::open(*pipeline, *ports_.stores.blobs, *ports_.stores.datasets));
  return {};
}

Result<bool> PipelineWork::split_some() {
  for (int i = 0; i < kBatchesPerStep; ++i) {
    HONE_TRY(const bool one, dataset_->step());
    if (!one) return false;
  }
  return true;
}

// ---- training --------------------------------------------------------------------------------

Result<TriggerAnswer> PipelineWork::start_training(const TrainingSituation& situation) {
  auto answer = next_training(pipeline_->train, situation.facts);
  if (!answer.reason) return answer;
  if (situation.facts.asked) {
    JobRow job = *situation.last;
    if (auto filled = fill_in(job, situation); !filled) {
      if (filled.error().code != Code::invalid) return fail(std::move(filled).error());
      HONE_TRY([[maybe_unused]] const bool was_queued,
               ports_.stores.jobs->cancel(job.number, filled.error().context, ports_.clock.now()));
      log("job-" + std::to_string(job.number) + " cancelled: " + filled.error().context);
      return answer;
    }
    HONE_CHECK(ports_.stores.jobs->set_dataset(job));
    return answer;
  }
  JobRow job;
  job.pipeline = pipeline_->name;
  job.reason = *answer.reason;
  job.created = ports_.clock.now();
  HONE_CHECK(fill_in(job, situation));
  HONE_TRY(const std::int64_t number, ports_.stores.jobs->add(job));
  log("job-" + std::to_string(number) + " queued: " + job.reason);
  return answer;
}

Result<> PipelineWork::fill_in(JobRow& job, const TrainingSituation& situation) {
  HONE_TRY(const DatasetVersion version, dataset_->cut(ports_.clock.now()));
  job.toml = pipeline_->toml;
  job.fingerprint = situation.facts.fingerprint;
  job.needs_commands = pipeline_->train.recipe == Recipe::command;
  job.dataset = version.hash;
  job.samples = situation.facts.samples;
  job.last_sample = situation.totals.last_received;
  if (const auto* deployed = newest_published(situation.releases)) {
    job.base = deployed->model;
    job.base_release = deployed->seq;
  }
  return {};
}

// ---- the gate --------------------------------------------------------------------------------

Result<bool> PipelineWork::judge_trained() {
  HONE_TRY(const auto jobs, ports_.stores.releases->jobs_to_judge(pipeline_->name));
  bool some = false;
  for (const std::int64_t number : jobs) {
    auto judged = judge_one(number);
    if (!judged) return fail(judged.error().within("judge job-" + std::to_string(number)));
    some = some || *judged;
  }
  return some;
}

Result<bool> PipelineWork::judge_one(std::int64_t number) {
  HONE_TRY(const auto job, ports_.stores.jobs->get(number));
  if (!job) return fail(Code::damaged, "the job is gone from the database");
  HONE_TRY(const auto releases, ports_.stores.releases->list(pipeline_->name));
  const ReleaseSeq compared_with = releases.empty() ? ReleaseSeq{} : releases.front().seq;

  const std::vector<ModelHash> released = published_models(releases);
  std::optional<Evaluation> evaluation;
  if (pipeline_->gate.metric == Metric::score) {
    HONE_TRY(evaluation, find_evaluation(*job, released));
    if (evaluation->state == Evaluation::State::waiting) return false;
  }
  HONE_TRY(const auto last_look, newest_look());
  HONE_TRY(const JobJudgement judged, judge_job(judge_, *pipeline_, *job, released, last_look, evaluation));
  const Judgement& judgement = judged.judgement;
  const Time at = ports_.clock.now();
  VerdictRow verdict{number, pipeline_->name, at, judgement.decision, judgement.reason, judgement.numbers, {}, Json::array()};
  if (judged.first) verdict.first_look = LookRow{judged.first->decision, judged.first->reason, judged.first->numbers};
  std::optional<ReleaseRow> promoted;
  if (judgement.promote) {
    promoted.emplace();
    promoted->pipeline = pipeline_->name;
    promoted->model = judged.files.model;
    promoted->hints = judged.files.hints;
    HONE_TRY(const auto exports, judge_exports(judge_, *ports_.stores.blobs, pipeline_->gate.metric,
                                               pipeline_->exports.may_lose, *job->dataset, judged.files, judgement));
    promoted->exports = those_that_ship(exports);
    verdict.exports = to_json(exports);
    promoted->job = number;
    promoted->metric = judgement.metric;
    promoted->metric_value = judgement.metric_value;
    promoted->goal_met = judgement.goal_met;
    promoted->judged = at;
  }
  HONE_TRY(const bool stored, ports_.stores.releases->add_verdict(verdict, promoted, compared_with));
  if (stored) log("job-" + std::to_string(number) + ": " + judgement.decision + ": " + judgement.reason);
  return true;  // not stored: a rollback came in between, and the next step judges again
}

Result<Evaluation> PipelineWork::find_evaluation(const JobRow& job, const std::vector<ModelHash>& released) {
  std::optional<ModelHash> deployed;
  if (!released.empty()) deployed = released.back();
  HONE_TRY(const Evaluation evaluation,
           evaluation_of(*ports_.stores.jobs, *pipeline_, job, deployed, ports_.clock.now()));
  if (evaluation.queued_now) log("job-" + std::to_string(job.number) + ": waits for a trainer to measure its model");
  return evaluation;
}

// Verdicts that compared nothing in between are no looks; so many in a row are not expected.
Result<std::optional<Look>> PipelineWork::newest_look() {
  constexpr int kVerdictsMax = 256;
  HONE_TRY(const auto verdicts, ports_.stores.releases->verdicts(pipeline_->name, kVerdictsMax));
  for (const VerdictRow& verdict : verdicts) {
    if (const auto look = look_of(verdict.numbers)) return look;
    if (!verdict.first_look) continue;
    if (const auto look = look_of(verdict.first_look->numbers)) return look;
  }
  return std::optional<Look>{};
}

Result<> PipelineWork::measure_deployed_ahead(const TrainingSituation& situation) {
  if (!situation.last || !situation.last->dataset) return {};
  return judge_.measure_ahead({*pipeline_, *situation.last->dataset, {}, published_models(situation.releases), {}});
}

// ---- releases --------------------------------------------------------------------------------

Result<> PipelineWork::finish_releases() {
  HONE_TRY(auto releases, ports_.stores.releases->list(pipeline_->name));
  for (auto release = releases.rbegin(); release != releases.rend(); ++release) {  // oldest first
    if (release->state == ReleaseState::published) continue;
    const std::string doing = "release " + std::to_string(release->seq.value);
    if (release->state == ReleaseState::judged) {
      if (auto done = prepare_release(*release, releases); !done) return fail(done.error().within("prepare " + doing));
      HONE_TRY(const auto prepared, ports_.stores.releases->get(pipeline_->name, release->seq));
      if (!prepared) return fail(Code::damaged, doing + " is gone from the database");
      *release = *prepared;
    }
    if (auto done = publish_release(*release); !done) return fail(done.error().within("publish " + doing));
    release->state = ReleaseState::published;
  }
  return {};
}

// The self-test of one of a release's files: that of the older release that it goes back to, or a new one.
Result<wire::SelfTest> PipelineWork::self_test_of(const ReleaseRow& release, std::string_view format,
                                                  const ModelHash& file) {
  BlobStore& blobs = *ports_.stores.blobs;
  if (release.rollback_of) {
    HONE_TRY(const auto older, ports_.stores.releases->get(pipeline_->name, *release.rollback_of));
    if (!older) return fail(Code::damaged, "the release it goes back to is gone from the database");
    HONE_TRY(const Bytes bytes, manifest_bytes_of(*older));
    HONE_TRY(const auto manifest, wire::release_manifest_from(bytes));
    return manifest.in_format(format).self_test;
  }
  HONE_TRY(const auto job, ports_.stores.jobs->get(release.job.value_or(0)));
  if (!job || !job->dataset) return fail(Code::damaged, "its job is gone from the database");
  HONE_TRY(const auto dataset, load_dataset(blobs, *job->dataset));
  HONE_TRY(const Bytes model, blobs.get({file.sha256}, kModelBytesMax));
  HONE_TRY(const auto runner, ports_.runtime.load(model, dataset.signal));
  return make_self_test(*runner, dataset, blobs,
                        format == wire::kInt8Format ? kSelfTestTolerance8Bits : kSelfTestTolerance);
}

Result<> PipelineWork::prepare_release(const ReleaseRow& release, const std::vector<ReleaseRow>& releases) {
  const std::int64_t count = pipeline_->delivery.delta_bases;
  FilePlan plain;
  plain.bases = delta_bases(releases, release.model, count);
  HONE_TRY(plain.self_test, self_test_of(release, wire::kPlainFormat, release.model));
  if (release.job && release.hints) {
    HONE_TRY(const auto job, ports_.stores.jobs->get(*release.job));
    for (DeltaBase& base : plain.bases)
      if (job && job->base == base.model) base.hints = release.hints;
  }
  std::vector<FilePlan> exports;
  for (const wire::ModelExport& file : release.exports) {
    FilePlan& plan = exports.emplace_back();
    plan.bases = delta_bases(releases, file.model, count, file.format);
    HONE_TRY(plan.self_test, self_test_of(release, file.format, file.model));
  }
  HONE_TRY(const BlobHash manifest, prepare(release, pipeline_->signal, plain, exports, *ports_.stores.blobs));
  return ports_.stores.releases->set_prepared(pipeline_->name, release.seq, manifest);
}

Result<> PipelineWork::publish_release(const ReleaseRow& release) {
  HONE_TRY(const Bytes manifest_bytes, manifest_bytes_of(release));
  HONE_TRY(const auto manifest, wire::release_manifest_from(manifest_bytes));
  std::vector<NewTarget> targets;
  std::vector<wire::TargetFile> files{manifest.full};
  for (const auto& delta : manifest.deltas) files.push_back(delta.file);
  for (const auto& item : manifest.exports) {
    files.push_back(item.full);
    for (const auto& delta : item.deltas) files.push_back(delta.file);
  }
  for (const auto& file : files) {
    HONE_TRY(Bytes bytes, ports_.stores.blobs->get(BlobHash{file.sha256}, kModelBytesMax));
    targets.push_back({file, std::move(bytes)});
  }
  targets.push_back(
      {{wire::manifest_path(manifest.pipeline, manifest.seq), manifest_bytes.size(), sha256(manifest_bytes)},
       manifest_bytes});
  HONE_CHECK(ports_.publisher.publish(targets, ports_.clock.now()));
  HONE_CHECK(ports_.stores.releases->set_published(pipeline_->name, release.seq, ports_.clock.now()));
  const auto hint = Json{{"release", release.seq.value}}.dump();
  if (ports_.hints != nullptr) ports_.hints->publish(pipeline_->name.value, hint);
  log("release " + std::to_string(release.seq.value) + " published, " + release.metric + " " +
      std::to_string(release.metric_value) + (release.goal_met ? ", goal met" : ""));
  return {};
}

Result<Bytes> PipelineWork::manifest_bytes_of(const ReleaseRow& release) {
  if (!release.manifest) return fail(Code::damaged, "a prepared release has no manifest: the database is damaged");
  return ports_.stores.blobs->get(*release.manifest, wire::kManifestBytesMax);
}

// ---- rollout ---------------------------------------------------------------------------------

Result<> PipelineWork::roll_out() {
  HONE_TRY(const auto releases, ports_.stores.releases->list(pipeline_->name));
  const auto* newest = newest_published(releases);
  if (newest == nullptr || !newest->halted.empty()) return {};
  const auto& rollout = pipeline_->delivery.rollout;
  const bool everybody = percent_of(*newest, rollout) >= 100;
  HONE_TRY(const auto outcomes, ports_.stores.devices->outcomes(pipeline_->name, newest->seq));
  if (everybody && outcomes.empty()) return {};
  HONE_TRY(const auto devices, ports_.stores.devices->devices(pipeline_->name));
  const StepFacts facts = step_facts(*newest, rollout, devices, outcomes);
  switch (next_step(facts)) {
    case StepAnswer::wait: return {};
    case StepAnswer::halt: {
      const std::string why =
          std::to_string(facts.reverted) + " devices took release " + std::to_string(newest->seq.value) + " back";
      log("rollout halted: " + why);
      return ports_.stores.releases->set_rollout(pipeline_->name, newest->seq, newest->rollout_step, why);
    }
    case StepAnswer::advance: break;
  }
  if (everybody) return {};
  HONE_CHECK(ports_.stores.releases->set_rollout(pipeline_->name, newest->seq, newest->rollout_step + 1, ""));
  log("rollout of release " + std::to_string(newest->seq.value) + " goes on");
  if (ports_.hints != nullptr) {
    ports_.hints->publish(pipeline_->name.value, Json{{"release", newest->seq.value}}.dump());
  }
  return {};
}

}  // namespace hone::cloud
