// `hone delta encode | apply | inspect`: makes, applies and explains deltas of model files.
#pragma once

#include <CLI/CLI.hpp>

namespace hone::app {

// Adds the `delta` verb to `app`. `json` (the global --json) and `exit_code` must outlive the parse;
// exit_code is set by the verb that ran: 0 done, 1 failed. Wrong usage is CLI11's affair.
void add_delta_commands(CLI::App& app, bool& json, int& exit_code);

}  // namespace hone::app
