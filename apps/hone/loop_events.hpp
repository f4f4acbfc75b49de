// What happened in the loop between two answers of GET /v1/status.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/time.hpp"

namespace hone::app {

struct LoopEvent {
  Time at{};             // by the server's clock
  std::string pipeline;  // empty: it concerns all
  std::string kind;      // samples, dataset, job, verdict, release, rollout, live, collect, devices, problem
  std::string text;      // one line for people
  Json detail = Json::object();
};

// Pure: the same two answers, the same events, in the order in which the loop moves. `before` is null for the first
// look, which finds nothing new. An answer of another version, which lacks keys, gives fewer events.
[[nodiscard]] std::vector<LoopEvent> loop_events(const Json& before, const Json& now);

[[nodiscard]] Json to_json(const LoopEvent& event);       // {"at", "pipeline", "event", "text", ...detail}
[[nodiscard]] std::string line_of(const LoopEvent& event);  // "2026-11-25T18:00:00Z  digits  verdict  ..."

}  // namespace hone::app
