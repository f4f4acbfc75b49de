// From the anomaly scores of the training rows to the score above which a row is called anomalous.
// Pure: no libtorch.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "shared/pipeline/pipeline.hpp"

namespace hone::trainer {

struct Threshold {
  double value = 0;     // anomalous: score > value
  double quantile = 0;  // of the training scores that it stands for
  // True: the quantile is rarer than the data can tell (fewer than kTailRowsMin rows lie beyond it),
  // so that a tail was fitted and followed outward.
  bool extrapolated = false;
};

inline constexpr double kTailRowsMin = 10;

// The share of the training rows that may be called anomalous: 1 - train.threshold, or what keeps alarms_per_day (of the
// windows of a day, signal.rate_hz). A budget is kept on what comes, not only on what was seen: `rows`, which share no
// reading with one another, tell the rate of alarms up to an error, so the share is the one whose upper bound at 95%
// (Wilson 1927, the score interval) is the budget; but never less than a quarter of the budget, so that few rows leave some
// alarms. `invalid` when the budget is more than every window.
[[nodiscard]] Result<double> alarm_share(const AnomalyRules& rules, std::optional<double> rate_hz, double rows);

// The quantile of `scores` (finite, not empty) that leaves that share above it. Where too few rows
// lie so far out, a generalised Pareto tail is fitted to the highest tenth by probability-weighted
// moments (Pickands 1975; Hosking & Wallis 1987, Technometrics 29:339-349).
[[nodiscard]] Threshold threshold_for(std::vector<float> scores, double share);

}  // namespace hone::trainer
