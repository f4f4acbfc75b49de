// Time as the cloud and the devices exchange it: milliseconds since the Unix epoch, UTC.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace hone {

using Duration = std::chrono::milliseconds;
using Time = std::chrono::sys_time<Duration>;

[[nodiscard]] inline std::int64_t unix_ms(Time t) { return t.time_since_epoch().count(); }
[[nodiscard]] inline Time from_unix_ms(std::int64_t ms) { return Time(Duration(ms)); }

[[nodiscard]] std::string to_rfc3339(Time t);                   // "2026-11-23T04:05:06Z", whole seconds
[[nodiscard]] Result<Time> from_rfc3339(std::string_view text);  // the same form only

// The clock port: stages take `now` as an argument or a Clock&, and never ask the system.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Time now() const = 0;
};

}  // namespace hone
