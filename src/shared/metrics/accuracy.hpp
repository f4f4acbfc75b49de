// Accuracy and the paired comparison of two classifiers on the same rows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "shared/metrics/interval.hpp"

namespace hone::metrics {

// Index of the largest score per row; the first one wins a tie. -1, which is no label, for a row
// that holds a NaN: a model that breaks down on a row has not got it right.
[[nodiscard]] std::vector<std::int32_t> argmax_rows(std::span<const float> scores, std::int64_t width);

// Of n rows, how many each of two classifiers got right together and alone.
struct PairedCounts {
  std::int64_t both = 0, only_first = 0, only_second = 0, neither = 0;
  [[nodiscard]] std::int64_t n() const { return both + only_first + only_second + neither; }
};

// Two-sided score interval for p_second - p_first of paired proportions:
// Tango (1998), Statistics in Medicine 17:891-908. `confidence` in (0, 1), n > 0.
[[nodiscard]] Interval tango_interval(const PairedCounts& counts, double confidence);

// One-sided p of Tango's score test that p_second - p_first is at least `delta`: small when it is significantly less.
[[nodiscard]] double tango_p_below(double delta, const PairedCounts& counts);

// How many rows it takes until the lower bound of tango_interval exceeds `margin` with the probability `power`, when
// the true gain is `gain` > margin and the two disagree on as many rows as they did here; a little more than
// observed is assumed, because few disagreements are a shaky estimate. nullopt when it would exceed 1e15.
[[nodiscard]] std::optional<std::int64_t> rows_to_prove(double margin, double gain, const PairedCounts& counts,
                                                        double confidence, double power);

// McNemar's exact two-sided p (binomial on the discordant pairs); 1 when there are none.
[[nodiscard]] double mcnemar_exact_p(const PairedCounts& counts);

}  // namespace hone::metrics
