#include "loop_events.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include "table.hpp"

namespace hone::app {
namespace {

const Json kNothing;

// The value at a path of keys; null where there is none.
const Json& at(const Json& json, std::initializer_list<const char*> path) {
  const Json* here = &json;
  for (const char* key : path) {
    if (!here->is_object()) return kNothing;
    const auto found = here->find(key);
    if (found == here->end()) return kNothing;
    here = &*found;
  }
  return *here;
}

double number(const Json& value) { return value.is_number() ? value.get<double>() : 0; }
std::int64_t whole(const Json& value) { return static_cast<std::int64_t>(number(value)); }

const Json& pipeline_named(const Json& status, const Json& name) {
  const Json& pipelines = at(status, {"pipelines"});
  if (pipelines.is_array())
    for (const Json& pipeline : pipelines)
      if (at(pipeline, {"name"}) == name) return pipeline;
  return kNothing;
}

// One pipeline's events, each rule a function of its entry before and now.
class PipelineEvents {
 public:
  PipelineEvents(const Json& before, const Json& now, Time time, std::vector<LoopEvent>& events)
      : before_(before), now_(now), time_(time), events_(events) {}

  void collect() {
    samples();
    datasets();
    job();
    verdict();
    release();
    rollout();
    live();
    collecting();
    devices();
    problems();
  }

 private:
  void add(const char* kind, std::string text, Json detail) {
    events_.push_back({time_, text_of(at(now_, {"name"})), kind, std::move(text), std::move(detail)});
  }
  [[nodiscard]] bool changed(std::initializer_list<const char*> path) const { return at(before_, path) != at(now_, path); }

  void samples() {
    const std::int64_t rows = whole(at(now_, {"received", "rows"})), more = rows - whole(at(before_, {"received", "rows"}));
    if (more <= 0) return;
    const double bytes = number(at(now_, {"received", "bytes"}));
    add("samples", "+" + with_commas(more) + " samples, " + with_commas(rows) + " in all, " + bytes_in_words(bytes),
        {{"more", more}, {"rows", rows}, {"bytes", bytes}});
  }

  void datasets() {
    const std::int64_t versions = whole(at(now_, {"datasets"}));
    if (versions <= whole(at(before_, {"datasets"}))) return;
    add("dataset", "dataset version " + with_commas(versions) + " is cut, of " + with_commas(whole(at(now_, {"samples"}))) + " samples",
        {{"versions", versions}, {"samples", at(now_, {"samples"})}});
  }

  void job() {
    const Json& before = at(before_, {"last_job"});
    const Json& job = at(now_, {"last_job"});
    if (job.is_null()) return;
    const Json &id = at(job, {"id"}), &state = at(job, {"state"});
    const bool same = id == at(before, {"id"}) && state == at(before, {"state"}) && at(job, {"attempts"}) == at(before, {"attempts"});
    const Json epoch = at(job, {"latest", "epoch"});
    const bool new_epoch = state == "leased" && epoch.is_number() && epoch != at(before, {"latest", "epoch"});
    if (same && !new_epoch) return;
    Json detail = {{"job", id}, {"state", state}, {"progress", at(job, {"progress"})}};
    if (same) {
      detail["epoch"] = epoch;
      for (const char* key : {"loss", "validation_metric"}) detail[key] = at(job, {"latest", key});
      return add("job", text_of(id) + " " + percent(number(at(job, {"progress"}))) + ", epoch " + epoch.dump() + ", loss " +
                            text_of(at(job, {"latest", "loss"})) + ", metric " + text_of(at(job, {"latest", "validation_metric"})),
                 std::move(detail));
    }
    std::string text = text_of(id) + " " + text_of(state);
    if (state == "queued") text += ": " + text_of(at(job, {"reason"}));
    if (state == "leased") text += " by " + text_of(at(job, {"trainer"})) + (whole(at(job, {"attempts"})) > 1 ? ", attempt " + at(job, {"attempts"}).dump() : "");
    if (state == "failed" || state == "cancelled") text += ": " + text_of(at(job, {"failure"}));
    add("job", std::move(text), std::move(detail));
  }

  void verdict() {
    const Json& verdict = at(now_, {"last_verdict"});
    if (verdict.is_null() || at(verdict, {"job"}) == at(before_, {"last_verdict", "job"})) return;
    add("verdict", text_of(at(verdict, {"job"})) + " " + text_of(at(verdict, {"decision"})) + ": " + text_of(at(verdict, {"reason"})),
        {{"job", at(verdict, {"job"})}, {"decision", at(verdict, {"decision"})}, {"reason", at(verdict, {"reason"})}});
  }

  void release() {
    const Json& deployed = at(now_, {"deployed"});
    if (deployed.is_null() || !changed({"deployed", "release"})) return;
    const bool goal_met = at(deployed, {"goal_met"}) == true;
    add("release", "release " + at(deployed, {"release"}).dump() + ": " + text_of(at(deployed, {"metric"})) + " " +
                       percent(number(at(deployed, {"value"}))) + (goal_met ? ", the goal is met" : ", the goal is " + percent(number(at(now_, {"goal"})))),
        {{"release", at(deployed, {"release"})}, {"metric", at(deployed, {"metric"})}, {"value", at(deployed, {"value"})}, {"goal_met", goal_met}});
  }

  void rollout() {
    const Json& rollout = at(now_, {"rollout"});
    if (rollout.is_null()) return;
    const Json& release = at(rollout, {"release"});
    if (changed({"rollout", "halted"}) && !at(rollout, {"halted"}).is_null())
      return add("rollout", "the rollout of release " + release.dump() + " is halted: " + text_of(at(rollout, {"halted"})),
                 {{"release", release}, {"halted", at(rollout, {"halted"})}});
    if (release == at(before_, {"rollout", "release"}) && changed({"rollout", "percent"}))
      add("rollout", "release " + release.dump() + " is offered to " + at(rollout, {"percent"}).dump() + "% of the devices",
          {{"release", release}, {"percent", at(rollout, {"percent"})}});
  }

  void live() {
    const std::string release = at(now_, {"deployed", "release"}).dump();
    const std::int64_t running = whole(at(now_, {"devices", "by_release", release.c_str()}));
    const bool same_release = !changed({"deployed", "release"});
    const std::int64_t before = same_release ? whole(at(before_, {"devices", "by_release", release.c_str()})) : 0;
    if (release == "null" || running == before) return;
    const std::int64_t count = whole(at(now_, {"devices", "count"}));
    add("live", "release " + release + " is live on " + with_commas(running) + " of " + with_commas(count) + " devices",
        {{"release", at(now_, {"deployed", "release"})}, {"live", running}, {"devices", count}});
  }

  void collecting() {
    if (!changed({"collect"}) || before_.is_null()) return;
    add("collect", at(now_, {"collect"}) == "none" ? "devices stop sending" : "devices send again", {{"collect", at(now_, {"collect"})}});
  }

  void devices() {
    const std::int64_t count = whole(at(now_, {"devices", "count"})), more = count - whole(at(before_, {"devices", "count"}));
    if (more <= 0) return;
    add("devices", with_commas(more) + (more == 1 ? " device joined, " : " devices joined, ") + with_commas(count) + " in all",
        {{"more", more}, {"devices", count}});
  }

  void problems() {
    for (const char* key : {"file_error", "problem"}) {
      const Json& problem = at(now_, {key});
      if (changed({key})) add("problem", problem.is_null() ? "the problem is gone" : text_of(problem), {{"problem", problem}});
    }
  }

  const Json& before_;
  const Json& now_;
  const Time time_;
  std::vector<LoopEvent>& events_;
};

}  // namespace

std::vector<LoopEvent> loop_events(const Json& before, const Json& now) {
  std::vector<LoopEvent> events;
  if (before.is_null()) return events;
  const Time time = from_unix_ms(whole(at(now, {"now"})));
  const Json& pipelines = at(now, {"pipelines"});
  if (pipelines.is_array())
    for (const Json& pipeline : pipelines)
      PipelineEvents(pipeline_named(before, at(pipeline, {"name"})), pipeline, time, events).collect();
  for (const char* key : {"problem", "broker_problem"}) {
    const Json &was = at(before, {key}), &is = at(now, {key});
    if (was != is) events.push_back({time, "", "problem", is.is_null() ? "the problem is gone" : text_of(is), {{"problem", is}}});
  }
  return events;
}

Json to_json(const LoopEvent& event) {
  Json json = event.detail;
  json["at"] = unix_ms(event.at);
  json["pipeline"] = event.pipeline.empty() ? Json(nullptr) : Json(event.pipeline);
  json["event"] = event.kind;
  json["text"] = event.text;
  return json;
}

std::string line_of(const LoopEvent& event) {
  std::string kind = event.kind;
  kind.resize(std::max<std::size_t>(kind.size(), 7), ' ');
  return to_rfc3339(event.at) + "  " + (event.pipeline.empty() ? "" : event.pipeline + "  ") + kind + "  " + event.text;
}

}  // namespace hone::app
