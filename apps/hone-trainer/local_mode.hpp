// hone-trainer --local: trains on a folder of files, without a server. `hone train` starts it.
#pragma once

#include <functional>

#include "trainer/local/local.hpp"

namespace hone::app {

// Writes one JSON object a line on standard output: {"progress", "epoch", "loss", "validation_metric"} while it
// trains, at the end {"done": ...what stands in training.json} or {"error": sentence, "code": name}. Returns the
// exit status: 0, or 1 when it failed.
[[nodiscard]] int run_local(const trainer::LocalOptions& options, const std::function<bool()>& stopping);

}  // namespace hone::app
