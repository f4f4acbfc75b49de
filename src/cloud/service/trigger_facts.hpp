// Gathers from the stores what the trigger decides on.
#pragma once

#include "base/time.hpp"
#include "cloud/service/stores.hpp"
#include "cloud/train/trigger.hpp"
#include "shared/pipeline/pipeline.hpp"

namespace hone::cloud {

struct TrainingSituation {
  TriggerFacts facts;
  DatasetTotals totals;
  std::optional<JobRow> last;        // as JobStore::last
  std::vector<ReleaseRow> releases;  // newest first
};

// Samples that count: labelled ones where the signal has labels.
[[nodiscard]] std::int64_t usable_samples(const Pipeline& pipeline, const DatasetTotals& totals);
[[nodiscard]] const ReleaseRow* newest_published(const std::vector<ReleaseRow>& releases);  // or null

[[nodiscard]] Result<TrainingSituation> training_situation(const Stores& stores, const Pipeline& pipeline, Time now);

}  // namespace hone::cloud
