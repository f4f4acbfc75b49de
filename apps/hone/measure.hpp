// What a model says about samples, and one figure of how good that is: `hone eval`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/samples/samples.hpp"
#include "shared/wire/signal.hpp"

namespace hone::app {

// Rows done, of so many.
using OnRows = std::function<void(std::size_t done, std::size_t rows)>;

// The metric that fits what the model gives: accuracy of a classifier, silhouette of clusters, else reconstruction.
[[nodiscard]] std::string metric_of(const model::Runner& runner);

// `invalid` for accuracy and f1 of a model that scores anomalies.
[[nodiscard]] Result<> check_metric(const std::string& metric, const model::Runner& runner);

[[nodiscard]] bool needs_labels(std::string_view metric);

// What measure() needs as the runner's further output.
[[nodiscard]] std::string_view further_output_for(std::string_view metric);

// `metric`: accuracy, f1, auc, silhouette or reconstruction, as the gate measures them; rows without a label do not count,
// but for the last two, which need no labels. auc of a model that scores anomalies is that of its score; silhouette is
// measured in the model's own features, above `silhouette_rows` rows (0: never) estimated as the trainer does it.
// The answer holds "metric", "value", "rows"; for accuracy and f1 "right" and "labels" (each with "label", "rows",
// "right"), for silhouette "clusters" (each with "rows" and "value"), estimated also "rows_measured" and
// "silhouette_bounds" (lower, upper; 95%).
// `invalid` when the model, the labels and the metric do not fit together, or no row has a label.
[[nodiscard]] Result<Json> measure(const std::string& metric, const model::Runner& runner, const wire::Signal& signal,
                                   const samples::Samples& samples, std::int64_t silhouette_rows, const OnRows& on_rows);

}  // namespace hone::app
