// What a model says about samples, and one figure of how good that is: `hone eval`.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "base/json.hpp"
#include "base/result.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/samples/samples.hpp"
#include "shared/wire/signal.hpp"

namespace hone::app {

// Rows done, of so many.
using OnRows = std::function<void(std::size_t done, std::size_t rows)>;

// `metric`: accuracy, f1 or auc, as the gate measures them; rows without a label do not count. The answer holds
// "metric", "value", "rows" (measured), and for accuracy and f1 "right" and "labels" (each with "label", "rows",
// "right"). `invalid` when the model, the labels and the metric do not fit together, or no row has a label.
[[nodiscard]] Result<Json> measure(const std::string& metric, const model::Runner& runner, const wire::Signal& signal,
                                   const samples::Samples& samples, const OnRows& on_rows);

}  // namespace hone::app
