// Follows one training of the server's until the gate has judged it.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.hpp"
#include "base/result.hpp"
#include "context.hpp"

namespace hone::app {

enum class Shown : std::uint8_t {
  bar,    // one line, where standard error is a terminal
  curve,  // with the curves; plain lines where standard error is no terminal
};

// The job (a JobEntry) once it was judged. When it ended without a model the error says why. On Ctrl-C the job goes
// on, and the JobEntry as it stands comes back with "left": true.
[[nodiscard]] Result<Json> follow_job(Server& server, const std::string& id, Shown shown);

}  // namespace hone::app
