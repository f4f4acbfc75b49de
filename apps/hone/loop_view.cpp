#include "loop_view.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "columns.hpp"
#include "table.hpp"
#include "training_view.hpp"

namespace hone::app {
namespace {

constexpr std::size_t kChartRows = 4;
constexpr std::size_t kLinesForCharts = 20;

std::string fact(const char* name, const std::string& value) {
  std::string line = std::string("  ") + name;
  line.resize(12, ' ');
  return line + value;
}

std::string samples_line(const Json& pipeline) {
  const Json& received = pipeline.at("received");
  std::string text = with_commas(received.at("rows")) + " received (" + bytes_in_words(received.at("bytes")) + "), " +
                     with_commas(pipeline.at("parts").at("training")) + " to train on, " + with_commas(pipeline.at("parts").at("holdout")) + " held out";
  const std::int64_t versions = pipeline.value("datasets", std::int64_t{0});
  return text + "; " + with_commas(versions) + (versions == 1 ? " dataset version" : " dataset versions");
}

std::string waiting_line(const Json& pipeline, const Json& now) {
  const Json& trigger = pipeline.at("next_trigger");
  if (trigger.at("due").get<bool>()) return "due now";
  std::string text;
  const Json& missing = trigger.at("samples_missing");
  if (missing.is_number() && missing.get<std::int64_t>() > 0) text = "waits for " + with_commas(missing) + " more samples";
  const Json& not_before = trigger.at("not_before");
  if (not_before.is_number() && now.is_number() && not_before > now)
    text += (text.empty() ? "waits " : ", and ") + duration_in_words(Duration(not_before.get<std::int64_t>() - now.get<std::int64_t>()));
  return text.empty() ? "nothing is waited for" : text;
}

void add_training(const Json& pipeline, const LoopSight& sight, std::size_t columns, bool with_charts, Glyphs glyphs, std::vector<std::string>& lines) {
  const Json& job = pipeline.at("job");
  if (job.is_null()) {
    lines.push_back(fact("training", waiting_line(pipeline, sight.status.value("now", Json()))));
    return;
  }
  const std::string id = text_of(job.at("id"));
  const Json latest = job.value("latest", Json());
  Json points = sight.points.is_object() && sight.points.contains(id) ? sight.points.at(id) : Json::array();
  if (points.empty() && latest.is_object()) points = Json::array({latest});
  const std::string state = job.at("state") == "leased" ? "on " + text_of(job.at("trainer")) : text_of(job.at("state")) + ": " + text_of(job.at("reason"));
  bool first = true;
  for (const std::string& line : training_lines(id, state, points, columns - std::min<std::size_t>(columns, 12), with_charts ? kChartRows : 0, glyphs)) {
    lines.push_back(first ? fact("training", line) : std::string(12, ' ') + line);
    first = false;
  }
}

std::string release_line(const Json& pipeline) {
  const Json& deployed = pipeline.at("deployed");
  const std::string goal = percent(pipeline.at("goal"));
  if (deployed.is_null()) return "none yet; the goal is " + goal;
  const std::string number = deployed.at("release").dump();
  const Json& by_release = pipeline.at("devices").at("by_release");
  const std::int64_t live = by_release.contains(number) ? by_release.at(number).get<std::int64_t>() : 0;
  std::string text = number + ": " + text_of(deployed.at("metric")) + " " + percent(deployed.at("value")) + " of " + goal +
                     (deployed.at("goal_met").get<bool>() ? " (met)" : "") + ", live on " + with_commas(live) + " of " +
                     with_commas(pipeline.at("devices").at("count")) + " devices";
  const Json& rollout = pipeline.at("rollout");
  if (!rollout.is_null() && !rollout.at("halted").is_null()) return text + ", halted: " + text_of(rollout.at("halted"));
  if (!rollout.is_null() && rollout.at("percent").get<int>() < 100) text += ", offered to " + rollout.at("percent").dump() + "%";
  return text;
}

std::string devices_line(const Json& pipeline) {
  const Json& devices = pipeline.at("devices");
  std::string text = with_commas(devices.at("count"));
  for (const auto& [state, count] : devices.at("by_state").items()) text += ", " + with_commas(count) + " " + state;
  const std::int64_t spooled = devices.at("spooled");
  if (spooled > 0) text += "; " + with_commas(spooled) + " samples wait on them";
  return text + (pipeline.at("collect") == "none" ? "; they send nothing" : "; they send what they see");
}

std::vector<std::string> pipeline_lines(const Json& pipeline, const LoopSight& sight, std::size_t columns, bool with_charts, Glyphs glyphs) {
  std::vector<std::string> lines{text_of(pipeline.at("name")) + "  " + text_of(pipeline.at("state")), fact("samples", samples_line(pipeline))};
  add_training(pipeline, sight, columns, with_charts, glyphs, lines);
  const Json verdict = pipeline.value("last_verdict", Json());
  if (verdict.is_object())
    lines.push_back(fact("verdict", text_of(verdict.at("job")) + " " + text_of(verdict.at("decision")) + ": " + text_of(verdict.at("reason"))));
  lines.push_back(fact("release", release_line(pipeline)));
  lines.push_back(fact("devices", devices_line(pipeline)));
  for (const char* key : {"file_error", "problem"})
    if (!pipeline.at(key).is_null()) lines.push_back(fact("problem", text_of(pipeline.at(key))));
  return lines;
}

std::string headline(const LoopSight& sight) {
  char rate[48];
  std::snprintf(rate, sizeof rate, "%.0f samples/s", sight.rows_per_second);
  const Json& received = sight.status.at("received");
  return "hone  " + when(sight.status.value("now", Json())) + "  " + with_commas(received.at("rows")) + " samples, " +
         bytes_in_words(received.at("bytes")) + ", " + rate;
}

}  // namespace

std::vector<std::string> loop_lines(const LoopSight& sight, std::size_t columns, std::size_t lines, Glyphs glyphs) {
  std::vector<std::string> text{headline(sight)};
  for (const char* key : {"problem", "broker_problem"})
    if (sight.status.contains(key) && !sight.status.at(key).is_null()) text.push_back(fact("problem", text_of(sight.status.at(key))));
  if (sight.status.at("pipelines").empty()) text.push_back("The server has no pipeline. Start it with at least one pipeline file.");
  for (const Json& pipeline : sight.status.at("pipelines")) {
    text.emplace_back();
    for (std::string& line : pipeline_lines(pipeline, sight, columns, lines >= kLinesForCharts, glyphs)) text.push_back(std::move(line));
  }
  if (!sight.events.empty() && text.size() + 2 <= lines) {
    text.emplace_back();
    const std::size_t room = lines - text.size(), count = std::min(room, sight.events.size());
    for (std::size_t i = sight.events.size() - count; i < sight.events.size(); ++i) text.push_back(line_of(sight.events[i]));
  }
  text.resize(std::min(text.size(), lines));
  for (std::string& line : text) line = clipped(line, columns);
  return text;
}

}  // namespace hone::app
