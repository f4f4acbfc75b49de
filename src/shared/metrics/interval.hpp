// What all interval estimates here have in common.
#pragma once

namespace hone::metrics {

struct Interval {
  double lower = 0, upper = 0;
};

// P(Z <= z) for a standard normal Z.
[[nodiscard]] double normal_cdf(double z);

// The z that a standard normal exceeds with the probability `tail`, 0 < tail < 1; to the last bits.
[[nodiscard]] double normal_upper_quantile(double tail);

}  // namespace hone::metrics
