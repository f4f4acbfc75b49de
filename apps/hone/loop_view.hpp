// How the whole loop looks: GET /v1/status as lines of text.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "loop_events.hpp"
#include "progress_bar.hpp"

namespace hone::app {

struct LoopSight {  // borrowed
  const Json& status;
  const Json& points;  // {job's id: [ProgressPoint]} of jobs that run; may be empty
  double rows_per_second = 0;
  const std::vector<LoopEvent>& events;  // oldest first
};

// In at most `lines` lines of `columns` columns: each pipeline, then as many of the newest events as there is room for.
[[nodiscard]] std::vector<std::string> loop_lines(const LoopSight& sight, std::size_t columns, std::size_t lines, Glyphs glyphs);

}  // namespace hone::app
