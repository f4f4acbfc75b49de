// From what two models said about the holdout to the facts that the gate decides on, by metric.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cloud/gate/evaluate.hpp"
#include "cloud/service/ruler.hpp"
#include "shared/pipeline/pipeline.hpp"

namespace hone::cloud {

struct Evidence {  // borrowed. Spans are one a holdout row.
  Metric metric = Metric::accuracy;
  std::span<const double> candidate;                // as ask() has it
  std::optional<std::span<const double>> deployed;  // nullopt for the first model
  std::span<const std::int64_t> labels;
  const std::vector<std::string>& label_names;
  Kinship kinship;
  const MeasuredSpace* space = nullptr;  // silhouette: never null then
  std::int64_t measured_max = 0;         // silhouette: so many rows are measured at most
  std::uint64_t seed = 1;                // of drawing them
};

// Errors as those of the functions in cloud/gate/evaluate.hpp.
[[nodiscard]] Result<Facts> facts_from(const Evidence& evidence);

}  // namespace hone::cloud
