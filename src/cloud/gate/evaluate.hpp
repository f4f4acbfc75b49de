// From what two models said about the holdout to the facts that the gate decides on.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cloud/gate/gate.hpp"

namespace hone::cloud {

struct Facts {
  CandidateFacts candidate;
  std::optional<DeployedFacts> deployed;
};

// Predictions are label indices (metrics::argmax_rows), one a row; -1, which no label has, is always wrong.
// `labels` are as in a batch: rows with -1 are left out. `deployed` is nullopt for the first model.
// `invalid` when the lengths differ or a label is outside `label_names`.
[[nodiscard]] Result<Facts> facts_from_predictions(std::span<const std::int32_t> candidate,
                                                   std::optional<std::span<const std::int32_t>> deployed,
                                                   std::span<const std::int64_t> labels,
                                                   const std::vector<std::string>& label_names);

// The same from score matrices [rows, label_names.size()].
[[nodiscard]] Result<Facts> facts_from_scores(std::span<const float> candidate,
                                              std::optional<std::span<const float>> deployed,
                                              std::span<const std::int64_t> labels,
                                              const std::vector<std::string>& label_names);

}  // namespace hone::cloud
