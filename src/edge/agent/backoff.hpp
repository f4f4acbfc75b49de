// How long to wait before the next try: doubles with every failure, and a random half of it is cut
// off, so that a fleet that lost its server does not come back in step.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/random.hpp"
#include "base/time.hpp"

namespace hone::edge {

// Uniform in [low, high].
[[nodiscard]] inline Duration between(Duration low, Duration high, Random& random) {
  std::uint8_t raw[4];
  random.fill(raw);
  const std::uint64_t draw = raw[0] | raw[1] << 8 | raw[2] << 16 | static_cast<std::uint64_t>(raw[3]) << 24;
  const auto span = static_cast<std::uint64_t>(std::max<std::int64_t>(0, (high - low).count()));
  return low +
         Duration(static_cast<std::int64_t>(span / 0xFFFFFFFFULL * draw + span % 0xFFFFFFFFULL * draw / 0xFFFFFFFFULL));
}

class Backoff {
 public:
  Backoff(Duration first, Duration max) : first_(first), max_(max) {}

  [[nodiscard]] Duration failed(Random& random) {
    Duration wait = first_;
    for (int i = 0; i < failures_ && wait < max_; ++i) wait *= 2;
    wait = std::min(wait, max_);
    if (failures_ < 60) ++failures_;
    return between(wait / 2, wait, random);
  }
  void succeeded() { failures_ = 0; }
  [[nodiscard]] int failures() const { return failures_; }

 private:
  Duration first_, max_;
  int failures_ = 0;
};

}  // namespace hone::edge
