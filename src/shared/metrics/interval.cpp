#include "shared/metrics/interval.hpp"

#include <cmath>

namespace hone::metrics {

double normal_cdf(double z) {
  return std::erfc(-z / std::sqrt(2.0)) / 2;
}

double normal_upper_quantile(double tail) {
  if (tail > 0.5) return -normal_upper_quantile(1 - tail);
  double low = 0;
  double high = 40;
  for (int i = 0; i < 200 && low < high; ++i) {
    const double middle = low + (high - low) / 2;
    if (middle == low || middle == high) break;
    (normal_cdf(-middle) > tail ? low : high) = middle;
  }
  return low + (high - low) / 2;
}

}  // namespace hone::metrics
