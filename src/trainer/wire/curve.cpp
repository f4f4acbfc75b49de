#include "trainer/wire/curve.hpp"

#include <algorithm>
#include <cmath>

namespace hone::trainer::wire_training {
namespace {

constexpr double kDistinct = 0.9;  // of the budget: a point that is nearer to it tells nothing new
constexpr double kShares[] = {0.04, 0.02, 0.01, 0.005, 0.0025, 0.001};  // of the full fp32 weights

}  // namespace

std::vector<std::uint64_t> budgets_below(std::uint64_t budget, std::uint64_t fp32_bytes) {
  std::vector<std::uint64_t> budgets{budget};
  for (const double share : kShares) {
    const auto bytes = static_cast<std::uint64_t>(std::floor(share * static_cast<double>(fp32_bytes)));
    if (static_cast<double>(bytes) < kDistinct * static_cast<double>(budget)) budgets.push_back(bytes);
  }
  return budgets;
}

bool keeps(double metric, double deployed, double free, double keep) {
  const double gain = free - deployed;
  return metric >= (gain > 0 ? deployed + keep * gain : free);
}

std::optional<std::size_t> cheapest_that_keeps(const std::vector<CurvePoint>& points, double deployed, double free, double keep) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (keeps(points[i].validation_metric, deployed, free, keep) && (!best || points[i].bytes < points[*best].bytes)) best = i;
  return best;
}

}  // namespace hone::trainer::wire_training
