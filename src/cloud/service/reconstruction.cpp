#include "cloud/service/reconstruction.hpp"

#include <cstdint>
#include <span>
#include <string>

#include "cloud/service/holdout.hpp"
#include "shared/metrics/reconstruction.hpp"
#include "shared/wire/sample_values.hpp"

namespace hone::cloud {
namespace {

constexpr std::int64_t kRowsAtOnce = 256;

// Of the first holdout rows, as many as the bound allows.
Result<std::vector<double>> spreads_of_holdout(const Asking& asking) {
  const wire::Signal& signal = asking.dataset.signal;
  std::vector<float> values;
  HONE_CHECK(read_rows(asking.blobs, asking.dataset.holdout, signal.sample_bytes(), kRowsAtOnce,
                       [&](ByteView x, std::int64_t) -> Result<> {
                         if (values.size() < metrics::kSpreadValuesMax) wire::append_values(signal.dtype, x, values);
                         return {};
                       }));
  return metrics::spreads_of(values, signal.elements());
}

}  // namespace

Result<std::vector<double>> ask_reconstruction(const Asking& asking, const ModelHash& model) {
  HONE_TRY(const auto runner, load_model(asking, model, kReconstructionOutput));
  const wire::Signal& signal = asking.dataset.signal;
  const std::size_t elements = signal.elements();
  if (runner->further_width() != static_cast<std::int64_t>(elements))
    return fail(Code::invalid, "the model gives back " + std::to_string(runner->further_width()) +
                                   " numbers a row; a sample has " + std::to_string(elements));
  HONE_TRY(const std::vector<double> spreads, spreads_of_holdout(asking));
  std::vector<double> figures;
  std::vector<float> raw;
  std::vector<float> outputs(static_cast<std::size_t>(kRowsAtOnce * runner->width()));
  std::vector<float> given_back(static_cast<std::size_t>(kRowsAtOnce) * elements);
  const TakeRows explain = [&](ByteView x, std::int64_t rows) -> Result<> {
    HONE_CHECK(runner->run(x, rows, outputs, given_back));
    raw.clear();
    wire::append_values(signal.dtype, x, raw);
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row)
      figures.push_back(metrics::explained(std::span(raw).subspan(row * elements, elements), signal.scale,
                                           std::span(given_back).subspan(row * elements, elements), spreads));
    return {};
  };
  HONE_CHECK(read_rows(asking.blobs, asking.dataset.holdout, signal.sample_bytes(), kRowsAtOnce, explain));
  return figures;
}

}  // namespace hone::cloud
