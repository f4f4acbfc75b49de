// The programs that hone starts.
#pragma once

#include <string>

#include "base/result.hpp"

namespace hone::app {

// The path of `name`, beside hone or in PATH. `not_found` says what to do `otherwise`.
[[nodiscard]] Result<std::string> program(const std::string& name, const std::string& otherwise);

}  // namespace hone::app
