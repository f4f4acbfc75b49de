#include "cloud/service/reports.hpp"

#include <map>
#include <utility>

#include "cloud/rollout/advance.hpp"
#include "cloud/rollout/offer.hpp"
#include "cloud/service/trigger_facts.hpp"
#include "cloud/train/jobs.hpp"
#include "shared/wire/release.hpp"

namespace hone::cloud {
namespace {

constexpr int kJobsMax = 100;
constexpr int kVerdictsMax = 100;

template <class T, class F>
Json or_null(const std::optional<T>& value, F show) {
  return value ? Json(show(*value)) : Json(nullptr);
}
Json time_or_null(const std::optional<Time>& time) {
  return or_null(time, unix_ms);
}
Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}
Json job_name(std::int64_t number) {
  return id_of({number, 1}).value;
}

Json outcome_json(const OutcomeRow& row) {
  return {{"device", row.device.value},
          {"release", row.outcome.release.value},
          {"kind", wire::name_of(row.outcome.kind)},
          {"at", unix_ms(row.at)},
          {"live_at", unix_ms(row.outcome.live_at)},
          {"by_delta", row.outcome.by_delta},
          {"fetched_bytes", row.outcome.fetched_bytes},
          {"inferences", row.outcome.inferences},
          {"errors", row.outcome.errors},
          {"reason", row.outcome.reason}};
}

Result<std::optional<wire::ReleaseManifest>> manifest_of(Desk& desk, const ReleaseRow& release) {
  if (!release.manifest) return std::nullopt;
  HONE_TRY(const Bytes bytes, desk.stores.blobs->get(*release.manifest, wire::kManifestBytesMax));
  HONE_TRY(auto manifest, wire::release_manifest_from(bytes));
  return std::optional(std::move(manifest));
}

// Why a job may stay queued for long.
std::string waits_for(const JobRow& job) {
  const bool waits = job.state == JobState::queued && job.needs_commands;
  return waits ? "a trainer that was started with --commands" : "";
}

// Without its points: a list of jobs would be long.
Result<Json> job_json(Desk& desk, const JobRow& job) {
  HONE_TRY(const auto latest, desk.stores.jobs->latest_point(job.number));
  HONE_TRY(const auto verdict, desk.stores.releases->verdict(job.number));
  double progress = job.state == JobState::completed ? 1.0 : 0.0;
  if (job.state == JobState::leased && latest && latest->attempt == job.attempts) progress = latest->point.progress;
  return Json{{"id", job_name(job.number)},
               {"kind", wire::name_of(job.kind)},
               {"pipeline", job.pipeline.value},
               {"state", name_of(job.state)},
               {"waits_for", text_or_null(waits_for(job))},
               {"reason", job.reason},
               {"failure", text_or_null(job.failure)},
               {"progress", progress},
               {"attempts", job.attempts},
               {"trainer", text_or_null(job.trainer)},
               {"dataset", or_null(job.dataset, [](const DatasetHash& h) { return h.hex(); })},
               {"samples", job.samples},
               {"base", or_null(job.base, [](const ModelHash& h) { return h.hex(); })},
               {"base_release", job.base_release.value == 0 ? Json(nullptr) : Json(job.base_release.value)},
               {"candidate", or_null(job.candidate, [](const ModelHash& h) { return h.hex(); })},
               {"subject", or_null(job.subject, job_name)},
               {"model", or_null(job.trained, [](const wire::ModelFiles& f) { return f.model.hex(); })},
               {"seconds_train", job.seconds_train},
               {"validation_metric",
                or_null(job.trained, [](const wire::ModelFiles& f) { return wire::figure(f.validation_metric); })},
               {"verdict", verdict ? Json(verdict->decision) : Json(nullptr)},
               {"lineage", job.lineage},
               {"latest", or_null(latest, [](const JobPoint& p) { return wire::to_json(p.point); })},
               {"times",
                {{"last_sample", unix_ms(job.last_sample)},
                 {"created", unix_ms(job.created)},
                 {"leased", time_or_null(job.leased)},
                 {"ended", time_or_null(job.ended)},
                 {"judged", verdict ? Json(unix_ms(verdict->at)) : Json(nullptr)}}}};
}

Result<Json> timings_json(Desk& desk, const ReleaseRow& release) {
  Json timings = {{"judged", unix_ms(release.judged)}, {"published", time_or_null(release.published)}};
  if (!release.job) return timings;
  HONE_TRY(const auto job, desk.stores.jobs->get(*release.job));
  if (!job) return timings;
  timings["last_sample"] = unix_ms(job->last_sample);
  timings["created"] = unix_ms(job->created);
  timings["leased"] = time_or_null(job->leased);
  timings["trained"] = time_or_null(job->ended);
  timings["seconds_train"] = job->seconds_train;
  return timings;
}

Json deltas_json(const std::vector<wire::ReleaseDelta>& deltas) {
  Json list = Json::array();
  for (const auto& delta : deltas) list.push_back({{"base", delta.base.hex()}, {"bytes", delta.file.bytes}});
  return list;
}

Result<Json> release_json(Desk& desk, const ReleaseRow& release) {
  Json json = {{"seq", release.seq.value},
               {"state", name_of(release.state)},
               {"created", unix_ms(release.judged)},
               {"model", release.model.hex()},
               {"metric", release.metric},
               {"value", release.metric_value},
               {"goal_met", release.goal_met},
               {"note", text_or_null(release.note)},
               {"rollback_of", or_null(release.rollback_of, [](ReleaseSeq s) { return s.value; })},
               {"job", release.job ? job_name(*release.job) : Json(nullptr)},
               {"verdict", nullptr},
               {"full_bytes", nullptr},
               {"deltas", Json::array()},
               {"exports", Json::array()},
               {"outcomes", Json::array()},
               {"halted", text_or_null(release.halted)}};
  HONE_TRY(const auto manifest, manifest_of(desk, release));
  if (manifest) {
    json["full_bytes"] = manifest->full.bytes;
    json["deltas"] = deltas_json(manifest->deltas);
    for (const auto& item : manifest->exports) {
      json["exports"].push_back({{"format", item.format},
                                 {"model", item.model.hex()},
                                 {"full_bytes", item.full.bytes},
                                 {"deltas", deltas_json(item.deltas)}});
    }
  }
  if (release.job) {
    HONE_TRY(const auto verdict, desk.stores.releases->verdict(*release.job));
    if (verdict) json["verdict"] = verdict->decision;
  }
  HONE_TRY(json["timings"], timings_json(desk, release));
  HONE_TRY(const auto outcomes, desk.stores.devices->outcomes(release.pipeline, release.seq));
  for (const auto& outcome : outcomes) json["outcomes"].push_back(outcome_json(outcome));
  return json;
}

Result<Json> rollout_json(Desk& desk, const Pipeline& pipeline, const ReleaseRow& release,
                          const std::vector<DeviceRow>& devices) {
  HONE_TRY(const auto outcomes, desk.stores.devices->outcomes(pipeline.name, release.seq));
  const StepFacts facts = step_facts(release, pipeline.delivery.rollout, devices, outcomes);
  return Json{{"release", release.seq.value}, {"percent", percent_of(release, pipeline.delivery.rollout)},
              {"devices", facts.members},     {"confirmed", facts.confirmed},
              {"reverted", facts.reverted},   {"halted", text_or_null(release.halted)}};
}

Json trigger_json(const TriggerAnswer& answer) {
  return {{"due", answer.reason.has_value()},
          {"samples_missing", answer.samples_missing},
          {"not_before", time_or_null(answer.not_before)}};
}

// Where the pipeline stands: what its devices do with new samples follows from it.
std::string_view state_of(const ReleaseRow* deployed) {
  if (deployed == nullptr) return "bootstrapping";
  return deployed->goal_met ? "autonomous" : "learning";
}

// The newest job, whatever became of it, and the newest verdict.
Result<> add_last(Desk& desk, const PipelineName& pipeline, Json& json) {
  HONE_TRY(const auto jobs, desk.stores.jobs->list(pipeline, 1));
  if (!jobs.empty()) {
    HONE_TRY(json["last_job"], job_json(desk, jobs.front()));
  }
  HONE_TRY(const auto verdicts, desk.stores.releases->verdicts(pipeline, 1));
  if (!verdicts.empty()) {
    const VerdictRow& verdict = verdicts.front();
    json["last_verdict"] = {{"job", job_name(verdict.job)}, {"decision", verdict.decision}, {"reason", verdict.reason}, {"at", unix_ms(verdict.at)}};
  }
  return {};
}

bool at_work(const JobRow& job) {
  return job.state == JobState::queued || job.state == JobState::leased;
}

// The training that is queued or runs, else the evaluation of what the last one made.
Result<std::optional<JobRow>> job_at_work(Desk& desk, const TrainingSituation& situation) {
  if (!situation.last || at_work(*situation.last)) return situation.last;
  HONE_TRY(auto evaluation, desk.stores.jobs->evaluation_of(situation.last->number));
  if (evaluation && !at_work(*evaluation)) evaluation.reset();
  return evaluation;
}

Result<Json> pipeline_json(Desk& desk, const Registry::Entry& entry, Time now) {
  const Pipeline& pipeline = *entry.pipeline;
  HONE_TRY(const auto situation, training_situation(desk.stores, pipeline, now));
  HONE_TRY(const auto devices, desk.stores.devices->devices(pipeline.name));
  const auto& totals = situation.totals;
  const ReleaseRow* deployed = newest_published(situation.releases);
  Json json = {
      {"name", pipeline.name.value},
      {"state", state_of(deployed)},
      {"samples", usable_samples(pipeline, totals)},
      {"received",
       {{"batches", totals.received_batches}, {"rows", totals.received_rows}, {"bytes", totals.received_bytes}}},
      {"parts", {{"training", totals.training}, {"holdout", totals.holdout}}},
      {"goal", pipeline.gate.goal},
      {"goal_met", deployed != nullptr && deployed->goal_met},
      {"collect", wire::name_of(collect_for(pipeline.collect.until, situation.releases))},
      {"deployed", nullptr},
      {"rollout", nullptr},
      {"datasets", totals.versions},
      {"job", nullptr},
      {"last_job", nullptr},
      {"last_verdict", nullptr},
      {"next_trigger", trigger_json(next_training(pipeline.train, situation.facts))},
      {"devices", Json::object()},
      {"file_error", text_or_null(entry.file_error)},
      {"problem", text_or_null(desk.problems.get(pipeline.name.value))}};
  if (deployed != nullptr) {
    json["deployed"] = {{"release", deployed->seq.value},      {"model", deployed->model.hex()},
                        {"metric", deployed->metric},          {"value", deployed->metric_value},
                        {"goal_met", deployed->goal_met},      {"published", time_or_null(deployed->published)},
                        {"note", text_or_null(deployed->note)}};
    HONE_TRY(json["rollout"], rollout_json(desk, pipeline, *deployed, devices));
  }
  HONE_TRY(const auto job, job_at_work(desk, situation));
  if (job) {
    HONE_TRY(json["job"], job_json(desk, *job));
  }
  HONE_CHECK(add_last(desk, pipeline.name, json));
  std::map<std::string, std::int64_t> by_release, by_state;
  std::int64_t spooled = 0;
  for (const auto& device : devices) {
    ++by_release[std::to_string(device.life.running.value)];
    ++by_state[device.life.state.empty() ? "enrolled" : device.life.state];
    spooled += device.life.spooled;
  }
  json["devices"] = {
      {"count", devices.size()}, {"by_release", by_release}, {"by_state", by_state}, {"spooled", spooled}};
  return json;
}

}  // namespace

Result<Json> status_report(Desk& desk, Time now) {
  Json status = {{"now", unix_ms(now)}, {"pipelines", Json::array()}, {"jobs", Json::array()}};
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  std::size_t devices = 0;
  for (const auto& entry : desk.registry.all()) {
    HONE_TRY(Json pipeline, pipeline_json(desk, entry, now));
    rows += pipeline["received"]["rows"].get<std::int64_t>();
    bytes += pipeline["received"]["bytes"].get<std::int64_t>();
    devices += pipeline["devices"]["count"].get<std::size_t>();
    if (!pipeline["job"].is_null()) status["jobs"].push_back(pipeline["job"]);
    status["pipelines"].push_back(std::move(pipeline));
  }
  status["received"] = {{"rows", rows}, {"bytes", bytes}};
  status["devices"] = devices;
  status["problem"] = text_or_null(desk.problems.get(""));
  status["broker_problem"] = text_or_null(desk.problems.get("broker"));
  return status;
}

Result<Json> devices_report(Desk& desk) {
  HONE_TRY(const auto devices, desk.stores.devices->devices({}));
  Json list = Json::array();
  for (const auto& device : devices) {
    HONE_TRY(const auto outcome, desk.stores.devices->last_outcome(device.id));
    list.push_back({{"id", device.id.value},
                    {"pipeline", device.pipeline.value},
                    {"release", device.life.running.value},
                    {"state", text_or_null(device.life.state)},
                    {"spooled", device.life.spooled},
                    {"enrolled", unix_ms(device.enrolled)},
                    {"last_seen", unix_ms(device.seen)},
                    {"batches", device.batches},
                    {"rows", device.rows},
                    {"bytes", device.bytes},
                    {"last_outcome", or_null(outcome, outcome_json)}});
  }
  return Json{{"devices", std::move(list)}};
}

Result<Json> releases_report(Desk& desk, const Pipeline& pipeline) {
  HONE_TRY(const auto releases, desk.stores.releases->list(pipeline.name));
  Json list = Json::array();
  for (const auto& release : releases) {
    HONE_TRY(Json one, release_json(desk, release));
    list.push_back(std::move(one));
  }
  return Json{{"releases", std::move(list)}};
}

Result<Json> verdicts_report(Desk& desk, const Pipeline& pipeline) {
  HONE_TRY(const auto verdicts, desk.stores.releases->verdicts(pipeline.name, kVerdictsMax));
  HONE_TRY(const auto releases, desk.stores.releases->list(pipeline.name));
  std::map<std::int64_t, std::uint64_t> release_of;
  for (const auto& release : releases) {
    if (release.job) release_of[*release.job] = release.seq.value;
  }
  Json list = Json::array();
  for (const auto& verdict : verdicts) {
    const auto release = release_of.find(verdict.job);
    const auto look = [](const LookRow& l) {
      return Json{{"decision", l.decision}, {"reason", l.reason}, {"numbers", l.numbers}};
    };
    list.push_back({{"job", job_name(verdict.job)},
                    {"release", release == release_of.end() ? Json(nullptr) : Json(release->second)},
                    {"at", unix_ms(verdict.at)},
                    {"decision", verdict.decision},
                    {"reason", verdict.reason},
                    {"numbers", verdict.numbers},
                    {"exports", verdict.exports},
                    {"first_look", or_null(verdict.first_look, look)}});
  }
  return Json{{"verdicts", std::move(list)}};
}

Result<Json> jobs_report(Desk& desk, const PipelineName& pipeline) {
  HONE_TRY(const auto jobs, desk.stores.jobs->list(pipeline, kJobsMax));
  Json list = Json::array();
  for (const auto& job : jobs) {
    HONE_TRY(Json one, job_json(desk, job));
    list.push_back(std::move(one));
  }
  return Json{{"jobs", std::move(list)}};
}

Result<Json> job_report(Desk& desk, const JobRow& job) {
  HONE_TRY(Json json, job_json(desk, job));
  HONE_TRY(const auto points, desk.stores.jobs->points(job.number));
  json["points"] = Json::array();
  for (const auto& [attempt, at, point] : points) {
    Json one = wire::to_json(point);
    one["attempt"] = attempt;
    one["at"] = unix_ms(at);
    json["points"].push_back(std::move(one));
  }
  return json;
}

}  // namespace hone::cloud
