#include "shared/metrics/reconstruction.hpp"

#include <algorithm>
#include <cmath>

namespace hone::metrics {
namespace {

constexpr double kLow = 0.1, kHigh = 0.9;
constexpr double kFigureMin = -1;  // one wild row must not decide for all

double spread_of(std::vector<float>& values) {
  const auto rank = [&](double quantile) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(quantile * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return static_cast<double>(*at);
  };
  const double low = rank(kLow), high = rank(kHigh);
  if (high > low) return (high - low) / 2;
  double sum = 0, squares = 0;
  for (const float value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  for (const float value : values) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(values.size()));
  return deviation > 0 ? deviation : 1;
}

}  // namespace

std::vector<double> spreads_of(std::span<const float> values, std::size_t elements) {
  std::vector<double> spreads;
  if (values.size() < elements) return spreads;
  std::vector<float> column(values.size() / elements);
  for (std::size_t element = 0; element < elements; ++element) {
    for (std::size_t row = 0; row < column.size(); ++row) column[row] = values[row * elements + element];
    spreads.push_back(spread_of(column));
  }
  return spreads;
}

double explained(std::span<const float> raw, double scale, std::span<const float> given_back,
                 std::span<const double> spreads) {
  double sum = 0;
  for (std::size_t i = 0; i < spreads.size(); ++i) {
    const double spread = spreads[i] * std::abs(scale);
    const double missed = (static_cast<double>(raw[i]) * scale - static_cast<double>(given_back[i])) / spread;
    sum += missed * missed;
  }
  const double figure = 1 - sum / static_cast<double>(spreads.size());
  return figure > kFigureMin ? figure : kFigureMin;  // also where it is no number
}

}  // namespace hone::metrics
