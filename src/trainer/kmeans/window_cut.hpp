// What k-means clusters of a sample: the sample itself, or each of the windows that are cut from it along its last
// axis, the same in training and in the graph.
#pragma once

#include <cstdint>
#include <optional>

#include "shared/pipeline/pipeline.hpp"
#include "shared/wire/signal.hpp"

namespace hone::trainer {

struct WindowCut {
  std::int64_t window = 0;  // readings
  std::int64_t stride = 0;
  std::int64_t count = 1;   // windows in a sample; what is left at its end is in none
};

[[nodiscard]] inline WindowCut window_cut(const wire::Signal& signal, const std::optional<RecordWindows>& windows) {
  const std::int64_t length = signal.shape.back();
  if (!windows) return {length, length, 1};
  return {windows->window, windows->stride, (length - windows->window) / windows->stride + 1};
}

}  // namespace hone::trainer
