// Bounds on the gain of one model over another on the same rows, for any metric, by resampling the rows.
//
// BCa (Efron 1987, JASA 82:171-185): the percentiles of the resampled gains, corrected for their bias and for how
// their spread changes with the gain; the normal quantile in it is widened to Student's t over the rows that carry
// the variance (Hesterberg 2015, American Statistician 69:371-386), because resampling understates the spread of
// few rows. Rows are drawn in pairs: a row that is hard for both models is drawn for both. Rows that resemble each other
// are drawn in blocks (Davison and Hinkley 1997, 3.8: the cluster bootstrap): drawn one by one, a hundred windows of one
// minute would pass for a hundred witnesses.
//
// Seeded, and the same on every machine up to rounding. Keeps nothing; any thread may call.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "shared/metrics/interval.hpp"

namespace hone::metrics {

// The gain when row i is there weights[i] times. Called a few thousand times.
using WeightedGain = std::function<double(std::span<const std::uint32_t> weights)>;

struct PairedSample {
  std::int64_t rows = 0;                 // at least 1
  WeightedGain gain;                     // must outlive nothing: it is called inside bootstrap_gain only
  std::span<const std::int32_t> strata;  // one a row: rows are redrawn among those of the same number >= 0; or empty
  std::span<const std::uint32_t> blocks;  // one a row: rows of the same number are drawn together, whatever their strata; or empty
};

struct BootstrapGain {
  double gain = 0;            // with every row once
  Interval bounds;            // each errs with the probability `tail`
  double standard_error = 0;  // of the gain
  // How many rows, or blocks, carry the variance: (sum of squares)^2 / (sum of fourth powers) of what each contributes.
  // All rows for differences of one size, a third of them for normal ones, 5 when 5 rows differ at all.
  // Resampling is not to be believed where these are few.
  double effective_rows = 0;
  std::int64_t replicates = 0;
};

[[nodiscard]] BootstrapGain bootstrap_gain(const PairedSample& sample, double tail, std::uint64_t seed);

}  // namespace hone::metrics
