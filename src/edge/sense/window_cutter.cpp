#include "edge/sense/window_cutter.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace hone::edge {

WindowCutter::WindowCutter(const wire::Stream& stream, const wire::Signal& signal)
    : stream_(stream),
      signal_(signal),
      reach_ms_(wire::time_blocks(stream).reach_ms),
      element_bytes_(wire::size_of(signal.dtype)),
      channels_(static_cast<std::size_t>(wire::channels_of(stream, signal))),
      reading_bytes_(channels_ * element_bytes_),
      ring_(signal.sample_bytes()),
      times_(static_cast<std::size_t>(stream.window)) {}

WindowCutter::Taken WindowCutter::take(ByteView readings, Time at) {
  const std::size_t count = readings.size() / reading_bytes_;
  const std::int64_t end_ms = unix_ms(at);
  if (end_ms < handed_ms_) readings_ = 0;
  handed_ms_ = end_ms;
  Taken taken;
  for (std::size_t i = 0; i < count; ++i) {
    const double before_s = static_cast<double>(count - 1 - i) / stream_.rate_hz;
    const std::int64_t t_ms = end_ms - std::llround(before_s * 1000);
    put(readings.subspan(i * reading_bytes_, reading_bytes_), t_ms);
    taken.bytes += reading_bytes_;
    const std::int64_t beyond = readings_ - stream_.window;
    if (beyond < 0 || beyond % stream_.stride != 0) continue;
    const auto oldest = static_cast<std::size_t>(readings_ % stream_.window);
    if (last_ms_ - times_[oldest] > reach_ms_) continue;
    cut();
    taken.complete = true;
    return taken;
  }
  return taken;
}

void WindowCutter::put(ByteView reading, std::int64_t t_ms) {
  // Readings that come faster than the rate, from a recording, do not go back in time.
  if (readings_ > 0) t_ms = std::max(t_ms, last_ms_);
  const auto place = static_cast<std::size_t>(readings_ % stream_.window);
  std::memcpy(ring_.data() + place * reading_bytes_, reading.data(), reading_bytes_);
  times_[place] = last_ms_ = t_ms;
  ++readings_;
}

// The oldest reading stands where the next one will be put.
void WindowCutter::cut() {
  const auto window = static_cast<std::size_t>(stream_.window);
  const auto oldest = static_cast<std::size_t>(readings_ % stream_.window);
  window_.resize(ring_.size());
  for (std::size_t i = 0; i < window; ++i) {
    const std::uint8_t* reading = ring_.data() + (oldest + i) % window * reading_bytes_;
    for (std::size_t channel = 0; channel < channels_; ++channel)
      std::memcpy(window_.data() + (channel * window + i) * element_bytes_, reading + channel * element_bytes_,
                  element_bytes_);
  }
  at_ = from_unix_ms(last_ms_);
}

}  // namespace hone::edge
