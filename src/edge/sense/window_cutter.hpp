// Cuts the windows of a stream out of the readings that an application hands over, one or many at a time.
//
// A reading is one value of each channel; a window is [channels, window], so readings are turned on their side. What is
// in here is in memory only: a power cut costs the readings of windows that were not complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "shared/wire/stream.hpp"

namespace hone::edge {

class WindowCutter {
 public:
  WindowCutter(const wire::Stream& stream, const wire::Signal& signal);

  struct Taken {
    std::size_t bytes = 0;
    bool complete = false;  // window() is another one
  };
  // Takes readings, the oldest first, until a window is complete or they end. `at` is when the last of them was read;
  // the others came before it at the stream's rate. A window that holds a gap (it took longer than the time blocks of
  // the split allow for) is let go, and when the clock was set back, windows begin anew.
  // `readings` is whole readings.
  [[nodiscard]] Taken take(ByteView readings, Time at);

  [[nodiscard]] std::size_t reading_bytes() const { return reading_bytes_; }
  [[nodiscard]] bool has_window() const { return !window_.empty(); }
  [[nodiscard]] ByteView window() const { return window_; }  // the newest complete one; empty: none yet
  [[nodiscard]] Time at() const { return at_; }              // of its last reading
  [[nodiscard]] bool cuts(const wire::Stream& stream, const wire::Signal& signal) const {
    return stream == stream_ && signal == signal_;
  }

 private:
  void put(ByteView reading, std::int64_t t_ms);
  void cut();

  const wire::Stream stream_;
  const wire::Signal signal_;
  const std::int64_t reach_ms_;
  const std::size_t element_bytes_, channels_, reading_bytes_;
  Bytes ring_;                       // [window, channels]
  std::vector<std::int64_t> times_;  // [window], ms
  std::int64_t readings_ = 0;        // since windows began anew
  std::int64_t last_ms_ = 0;         // of the newest reading, when readings_ > 0
  std::int64_t handed_ms_ = 0;       // of the last hand-over
  Bytes window_;
  Time at_{};
};

}  // namespace hone::edge
