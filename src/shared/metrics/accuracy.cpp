#include "shared/metrics/accuracy.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace hone::metrics {
namespace {

// 1.96 for 0.95.
double two_sided_z(double confidence) {
  return normal_upper_quantile((1.0 - confidence) / 2);
}

// Tango's restricted maximum likelihood estimate of the probability that only the first is right,
// under p_second - p_first = delta, for the observed rates `first` and `second` of the discordant
// pairs: the root of 2 q^2 + B q + C = 0 that lies in its range.
double restricted_rate(double first, double second, double delta) {
  const double b = -second - first + (2 - second + first) * delta;
  const double c = -first * delta * (1 - delta);
  const double root = std::sqrt(std::max(0.0, b * b - 8 * c));
  // Both forms are the same root; this one never subtracts two equal numbers.
  const double q = b <= 0 ? (root - b) / 4 : (b + root > 0 ? -2 * c / (b + root) : 0.0);
  return std::clamp(q, std::max(0.0, -delta), (1 - delta) / 2);
}

// The variance of one pair's difference under that restriction.
double restricted_variance(double first, double second, double delta) {
  return 2 * restricted_rate(first, second, delta) + delta * (1 - delta);
}

// The smaller root of |T(delta)| = z. T, the score statistic, falls as delta grows.
double lower_limit(double first, double second, double n, double z) {
  const double observed = second - first;
  const auto above_z = [&](double delta) {
    const double variance = restricted_variance(first, second, delta);
    return (observed - delta) * std::sqrt(n) > z * std::sqrt(std::max(0.0, variance));
  };
  double low = -1;
  double high = observed;
  for (int i = 0; i < 200; ++i) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    (above_z(middle) ? low : high) = middle;
  }
  return low + (high - low) / 2;
}

}  // namespace

std::vector<std::int32_t> argmax_rows(std::span<const float> scores, std::int64_t width) {
  if (width <= 0) return {};
  const auto columns = static_cast<std::size_t>(width);
  std::vector<std::int32_t> best;
  best.reserve(scores.size() / columns);
  for (std::size_t row = 0; row + columns <= scores.size(); row += columns) {
    const auto values = scores.subspan(row, columns);
    const bool broken = std::any_of(values.begin(), values.end(), [](float v) { return std::isnan(v); });
    best.push_back(broken ? -1
                          : static_cast<std::int32_t>(std::max_element(values.begin(), values.end()) - values.begin()));
  }
  return best;
}

Interval tango_interval(const PairedCounts& counts, double confidence) {
  const auto n = static_cast<double>(counts.n());
  const double first = static_cast<double>(counts.only_first) / n;
  const double second = static_cast<double>(counts.only_second) / n;
  const double z = two_sided_z(confidence);
  // The upper limit is the lower one with the two exchanged, so that the interval is antisymmetric to the bit.
  return {lower_limit(first, second, n, z), -lower_limit(second, first, n, z)};
}

double tango_p_below(double delta, const PairedCounts& counts) {
  const auto n = static_cast<double>(counts.n());
  const double first = static_cast<double>(counts.only_first) / n;
  const double second = static_cast<double>(counts.only_second) / n;
  const double deviation = std::sqrt(std::max(0.0, restricted_variance(first, second, delta)) / n);
  const double distance = second - first - delta;
  if (deviation > 0) return normal_cdf(distance / deviation);
  return distance < 0 ? 0 : 1;
}

std::optional<std::int64_t> rows_to_prove(double margin, double gain, const PairedCounts& counts, double confidence,
                                          double power) {
  if (counts.n() <= 0 || !(gain > margin)) return std::nullopt;
  const auto n = static_cast<double>(counts.n());
  const auto discordant = static_cast<double>(counts.only_first + counts.only_second);
  // One standard deviation above what was seen, and one row where nothing was.
  const double rate = std::clamp((discordant + std::sqrt(discordant) + 1) / n, std::min(1.0, std::abs(gain)), 1.0);
  const double first = (rate - gain) / 2;
  const double second = (rate + gain) / 2;
  // The score test's deviation under the margin, and that of the observed gain under the true one.
  const double under_margin = std::sqrt(restricted_variance(first, second, margin));
  const double under_gain = std::sqrt(std::max(0.0, rate - gain * gain));
  const double reach = two_sided_z(confidence) * under_margin + normal_upper_quantile(1 - power) * under_gain;
  const double rows = reach * reach / ((gain - margin) * (gain - margin));
  if (!(rows < 1e15)) return std::nullopt;
  return static_cast<std::int64_t>(std::floor(rows)) + 1;
}

double mcnemar_exact_p(const PairedCounts& counts) {
  const std::int64_t pairs = counts.only_first + counts.only_second;
  const std::int64_t fewer = std::min(counts.only_first, counts.only_second);
  if (pairs == 0) return 1;
  // 2 P(X <= fewer), X binomial(pairs, 1/2). Summed from the largest term down, each from its neighbour; the
  // first one through logarithms, because 2^-pairs is 0 in a double from 1,075 pairs on.
  double log_choose = 0;
  for (std::int64_t i = 1; i <= fewer; ++i)
    log_choose += std::log(static_cast<double>(pairs - fewer + i) / static_cast<double>(i));
  double term = 1;
  double sum = 1;
  for (std::int64_t k = fewer; k > 0 && term > sum * 1e-18; --k) {
    term *= static_cast<double>(k) / static_cast<double>(pairs - k + 1);
    sum += term;
  }
  return std::min(1.0, 2 * std::exp(log_choose - static_cast<double>(pairs) * std::log(2.0) + std::log(sum)));
}

}  // namespace hone::metrics
