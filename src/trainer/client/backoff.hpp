// How long to wait between attempts: doubling from `first` to `last`.
#pragma once

#include <algorithm>

#include "base/time.hpp"

namespace hone::trainer {

class Backoff {
 public:
  Backoff(Duration first, Duration last) : first_(first), last_(last), next_(first) {}
  [[nodiscard]] Duration next() {
    const Duration now = next_;
    next_ = std::min(next_ * 2, last_);
    return now;
  }
  void reset() { next_ = first_; }

 private:
  Duration first_, last_, next_;
};

}  // namespace hone::trainer
