// hone-cloud, running: opens everything in the order in which it is needed, serves until a signal
// says to stop, and closes in reverse.
#pragma once

#include "base/result.hpp"
#include "server_file.hpp"

namespace hone::app {

// Blocks SIGTERM, SIGINT and SIGCHLD for the whole process: call it from the main thread before
// any other is started.
[[nodiscard]] Result<> run_cloud(const ServerSettings& settings);

}  // namespace hone::app
