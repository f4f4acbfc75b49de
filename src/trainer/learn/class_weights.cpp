#include "trainer/learn/class_weights.hpp"

#include <algorithm>
#include <cstddef>

namespace hone::trainer {

std::vector<float> class_weights(std::span<const std::int64_t> labels, std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  for (const std::int64_t label : labels) ++rows[static_cast<std::size_t>(label)];
  const auto occurring = rows.size() - static_cast<std::size_t>(std::count(rows.begin(), rows.end(), 0));
  std::vector<float> weights;
  for (const std::int64_t own : rows) {
    const double even = static_cast<double>(labels.size()) / static_cast<double>(std::max<std::size_t>(1, occurring));
    weights.push_back(own == 0 ? 1.0f : std::min(kRareWeightMax, static_cast<float>(even / static_cast<double>(own))));
  }
  return weights;
}

}  // namespace hone::trainer
