#include "cloud/service/reconstruction.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "cloud/gate/sample_values.hpp"
#include "cloud/service/holdout.hpp"

namespace hone::cloud {
namespace {

constexpr std::int64_t kRowsAtOnce = 256;
constexpr std::size_t kRulerValuesMax = std::size_t{1} << 24;  // so many are held to find the spreads
constexpr double kLow = 0.1, kHigh = 0.9;
constexpr double kFigureMin = -1;  // one wild row must not decide for all

// Half of the range that most of the values lie in; of values that hardly vary their deviation, or 1.
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

// Of the first holdout rows, as many as the bound allows, in the units of raw * scale.
Result<std::vector<double>> spreads_of(const Asking& asking) {
  const wire::Signal& signal = asking.dataset.signal;
  const std::size_t elements = signal.elements();
  std::vector<float> values;
  HONE_CHECK(read_rows(asking.blobs, asking.dataset.holdout, signal.sample_bytes(), kRowsAtOnce,
                       [&](ByteView x, std::int64_t) -> Result<> {
                         if (values.size() < kRulerValuesMax) append_values(signal.dtype, x, values);
                         return {};
                       }));
  std::vector<double> spreads;
  if (values.empty()) return spreads;
  std::vector<float> column(values.size() / elements);
  for (std::size_t element = 0; element < elements; ++element) {
    for (std::size_t row = 0; row < column.size(); ++row) column[row] = values[row * elements + element];
    spreads.push_back(spread_of(column) * std::abs(signal.scale));
  }
  return spreads;
}

double explained(const float* raw, double scale, const float* given_back, const std::vector<double>& spreads) {
  double sum = 0;
  for (std::size_t i = 0; i < spreads.size(); ++i) {
    const double missed = (static_cast<double>(raw[i]) * scale - static_cast<double>(given_back[i])) / spreads[i];
    sum += missed * missed;
  }
  const double figure = 1 - sum / static_cast<double>(spreads.size());
  return figure > kFigureMin ? figure : kFigureMin;  // also where it is no number
}

}  // namespace

Result<std::vector<double>> ask_reconstruction(const Asking& asking, const ModelHash& model) {
  HONE_TRY(const auto runner, load_model(asking, model, kReconstructionOutput));
  const wire::Signal& signal = asking.dataset.signal;
  const std::size_t elements = signal.elements();
  if (runner->further_width() != static_cast<std::int64_t>(elements))
    return fail(Code::invalid, "the model gives back " + std::to_string(runner->further_width()) +
                                   " numbers a row; a sample has " + std::to_string(elements));
  HONE_TRY(const std::vector<double> spreads, spreads_of(asking));
  std::vector<double> figures;
  std::vector<float> raw;
  std::vector<float> outputs(static_cast<std::size_t>(kRowsAtOnce * runner->width()));
  std::vector<float> given_back(static_cast<std::size_t>(kRowsAtOnce) * elements);
  const TakeRows explain = [&](ByteView x, std::int64_t rows) -> Result<> {
    HONE_CHECK(runner->run(x, rows, outputs, given_back));
    raw.clear();
    append_values(signal.dtype, x, raw);
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row)
      figures.push_back(explained(raw.data() + row * elements, signal.scale, given_back.data() + row * elements, spreads));
    return {};
  };
  HONE_CHECK(read_rows(asking.blobs, asking.dataset.holdout, signal.sample_bytes(), kRowsAtOnce, explain));
  return figures;
}

}  // namespace hone::cloud
