// How a training looks: a bar, and the curves of loss and metric.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "progress_bar.hpp"

namespace hone::app {

// `name`: "job-7", or the pipeline's file; `state`: "training". `points`: [ProgressPoint], oldest first, as in a
// JobEntry; those of an attempt before the last are left out.
[[nodiscard]] std::vector<std::string> training_lines(const std::string& name, const std::string& state, const Json& points,
                                                      std::size_t columns, std::size_t chart_rows, Glyphs glyphs);

// Both curves of `points` side by side, or one below the other.
[[nodiscard]] std::vector<std::string> curves(const Json& points, std::size_t columns, std::size_t chart_rows, Glyphs glyphs);

}  // namespace hone::app
