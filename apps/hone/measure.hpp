// What a model says about samples, and one figure of how good that is: `hone eval`.
#pragma once

#include <cstddef>
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

// What measure() needs as the runner's further output.
[[nodiscard]] std::string_view further_output_for(std::string_view metric);

// `metric`: accuracy, f1, auc or silhouette, as the gate measures them; rows without a label do not count, but for
// silhouette, which needs no labels and is measured in the model's own features. auc of a model that scores anomalies is
// that of its score. The answer holds "metric", "value", "rows" (measured), for accuracy and f1 "right" and "labels"
// (each with "label", "rows", "right"), for silhouette "clusters" (each with "rows" and "value").
// `invalid` when the model, the labels and the metric do not fit together, or no row has a label.
[[nodiscard]] Result<Json> measure(const std::string& metric, const model::Runner& runner, const wire::Signal& signal,
                                   const samples::Samples& samples, const OnRows& on_rows);

}  // namespace hone::app
