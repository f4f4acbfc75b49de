// A training curve for the lineage.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/json.hpp"
#include "shared/wire/messages.hpp"

namespace hone::trainer {

inline constexpr std::size_t kCurvePointsMax = 64;

// At most kCurvePointsMax points, evenly apart, the last one always among them.
[[nodiscard]] inline Json curve_json(const std::vector<wire::ProgressPoint>& curve) {
  Json points = Json::array();
  const std::size_t stride = std::max<std::size_t>(1, (curve.size() + kCurvePointsMax - 1) / kCurvePointsMax);
  for (std::size_t i = 0; i < curve.size(); ++i) {
    if ((curve.size() - 1 - i) % stride != 0) continue;
    points.push_back(
        {{"epoch", curve[i].epoch}, {"loss", curve[i].loss}, {"validation_metric", curve[i].validation_metric}});
  }
  return points;
}

}  // namespace hone::trainer
