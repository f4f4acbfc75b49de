// Metrics of one model on labelled rows, and the gain of a second model over a first one as a function of the rows'
// weights, for bootstrap_gain. Spans are borrowed: they must outlive the function that is given.
#pragma once

#include <cstdint>
#include <span>

#include "shared/metrics/paired_bootstrap.hpp"

namespace hone::metrics {

// The mean of second - first: for figures of which each row has its own (Silhouette, a command's score).
[[nodiscard]] WeightedGain mean_gain(std::span<const double> first, std::span<const double> second);

// F1 of the second of two labels (the positive one); for more labels the mean of all labels' F1. A predicted label
// that is none of them (-1) is wrong. 0 where a label is neither there nor predicted.
[[nodiscard]] double f1(std::span<const std::int32_t> labels, std::span<const double> predicted, std::int32_t classes);
[[nodiscard]] WeightedGain f1_gain(std::span<const std::int32_t> labels, std::span<const double> first,
                                   std::span<const double> second, std::int32_t classes);

// Area under the ROC curve: the share of pairs of a row with label 1 and a row with label 0 in which the first has
// the higher score, ties counted half (Mann-Whitney). 0.5 when one label has no rows.
[[nodiscard]] double auc(std::span<const std::int32_t> labels, std::span<const double> scores);
[[nodiscard]] WeightedGain auc_gain(std::span<const std::int32_t> labels, std::span<const double> first,
                                    std::span<const double> second);

}  // namespace hone::metrics
