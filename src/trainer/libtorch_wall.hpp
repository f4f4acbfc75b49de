// The wall at which libtorch's exceptions stop. This header knows libtorch.
#pragma once

#include <c10/util/Exception.h>

#include <exception>
#include <string>

#include "base/result.hpp"

namespace hone::trainer {

// Runs `work`, which returns a Result; what libtorch throws (no memory, a driver that fails) becomes `unavailable`.
template <class Work>
auto behind_wall(const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const c10::Error& error) {
    return fail(Code::unavailable, std::string("libtorch: ") + error.what_without_backtrace());
  } catch (const std::exception& error) {
    return fail(Code::unavailable, std::string("libtorch: ") + error.what());
  }
}

}  // namespace hone::trainer
