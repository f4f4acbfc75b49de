#include "trainer/threshold.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hone::trainer {
namespace {

constexpr double kSecondsPerDay = 86400;
constexpr double kNormal95 = 1.6449;  // one-sided
constexpr double kBudgetLeft = 0.25;
constexpr double kTailShare = 0.1;   // of the rows that the tail is fitted to,
constexpr std::size_t kTailMax = 2000;  // and at most so many: the farther out, the better the fit
constexpr double kShapeMin = -0.5, kShapeMax = 0.5;  // of a sober tail; beyond it the moments mean nothing

// Between the two nearest of the sorted scores (type 7 of Hyndman & Fan 1996, NumPy's default).
double quantile_of(const std::vector<float>& sorted, double quantile) {
  const double at = quantile * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const auto above = std::min(below + 1, sorted.size() - 1);
  const double part = at - static_cast<double>(below);
  return sorted[below] + part * (static_cast<double>(sorted[above]) - sorted[below]);
}

// The score that the tail beyond the `count` highest of the sorted scores exceeds with probability
// `share` of all rows.
double follow_tail(const std::vector<float>& sorted, std::size_t count, double share) {
  const double start = sorted[sorted.size() - count - 1];
  const auto n = static_cast<double>(count);
  double mean = 0, weighted = 0;  // E[x] and E[x (1 - F(x))]
  for (std::size_t i = 0; i < count; ++i) {
    const double excess = sorted[sorted.size() - count + i] - start;
    mean += excess / n;
    weighted += excess * (n - 0.65 - static_cast<double>(i)) / (n * n);
  }
  if (!(mean > 0) || !(mean > 2 * weighted)) return sorted.back();
  const double shape = std::clamp(2 - mean / (mean - 2 * weighted), kShapeMin, kShapeMax);
  const double scale = mean * (1 - shape);
  const double rarity = share * static_cast<double>(sorted.size()) / n;
  const double excess = std::abs(shape) < 1e-6 ? -scale * std::log(rarity)
                                               : scale / shape * (std::pow(rarity, -shape) - 1);
  return start + excess;
}

}  // namespace

Result<double> alarm_share(const AnomalyRules& rules, std::optional<double> rate_hz, double rows) {
  if (!rules.alarms_per_day) return 1 - rules.threshold;
  if (!rate_hz) return fail(Code::invalid, "train.alarms_per_day needs signal.rate_hz: how many windows a second there are");
  const double share = *rules.alarms_per_day / (*rate_hz * kSecondsPerDay);
  if (!(share > 0) || share >= 1)
    return fail(Code::invalid, "train.alarms_per_day allows an alarm for every window of a day: lower it");
  return std::max(share * kBudgetLeft, share - kNormal95 * std::sqrt(share * (1 - share) / rows));
}

Threshold threshold_for(std::vector<float> scores, double share) {
  std::sort(scores.begin(), scores.end());
  Threshold result;
  result.quantile = 1 - share;
  const auto rows = static_cast<double>(scores.size());
  const auto tail = std::min(kTailMax, static_cast<std::size_t>(kTailShare * rows));
  if (share * rows >= kTailRowsMin || static_cast<double>(tail) < 2 * kTailRowsMin) {
    result.value = quantile_of(scores, result.quantile);
    return result;
  }
  result.extrapolated = true;
  result.value = follow_tail(scores, tail, share);
  return result;
}

}  // namespace hone::trainer
