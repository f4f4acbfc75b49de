// A trainer's log of one job, in bounded pieces: the key "log" of a heartbeat.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace hone::wire {

constexpr std::size_t kLogLinesMax = 32;       // in one heartbeat
constexpr std::size_t kLogTextBytesMax = 512;  // of one line

struct LogLine {
  std::int64_t number = 0;  // from 1 within one attempt; a gap: lines that the trainer had no room for
  Time at{};
  std::string text;  // one line of printable UTF-8

  friend bool operator==(const LogLine&, const LogLine&) = default;
};

// One line that fits: clipped, control characters as spaces.
[[nodiscard]] std::string log_text(std::string_view text);

[[nodiscard]] Json to_json(const LogLine& line);
// Of a heartbeat; none when it has no key "log". `invalid` for more than kLogLinesMax, or a line that does not fit.
[[nodiscard]] Result<std::vector<LogLine>> log_lines_from(const Json& heartbeat);

}  // namespace hone::wire
