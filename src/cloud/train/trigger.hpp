// When to train: a pure function of the pipeline's rules and a snapshot of facts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "shared/pipeline/pipeline.hpp"

namespace hone::cloud {

struct TriggerFacts {
  Time now{};
  std::int64_t samples = 0;          // that can be trained on: labelled ones where the signal has labels
  std::string fingerprint;           // of the recipe as it stands
  bool busy = false;                 // a job runs, or its model is on the way through gate and release
  bool has_model = false;            // a release was published
  std::optional<std::string> asked;  // `hone train`: the reason that was given

  // The newest job that had a dataset, whatever became of it. One that was cancelled by hand counts: it is not
  // started again for the samples that it was to train on.
  struct LastJob {
    std::int64_t samples = 0;
    std::string fingerprint;
    Time created{};
    Time ended{};  // when it was judged, failed or cancelled
  };
  std::optional<LastJob> last;
};

struct TriggerAnswer {
  std::optional<std::string> reason;  // train now, because
  // What `status` shows while the answer is no.
  std::int64_t samples_missing = 0;  // until a count is reached; 0 where no count is waited for
  std::optional<Time> not_before;    // cooldown, or the next `every`
};

// Rules: asked; first_at_samples (again for each as many new ones while nothing was released);
// new_samples since the dataset version trained on last; every, where at least one new sample came;
// recipe_changed. The cooldown, counted from the end of the last job, holds back all but the first two.
[[nodiscard]] TriggerAnswer next_training(const TrainRules& rules, const TriggerFacts& facts);

}  // namespace hone::cloud
