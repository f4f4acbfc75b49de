// The metric `score`: figures come from a program of the user's, which the cloud does not run. A trainer does, as a job
// of its own that names both models and gets the holdout; this is where that job is queued and its outcome looked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "cloud/ingest/blob_store.hpp"
#include "cloud/train/job_store.hpp"
#include "shared/pipeline/pipeline.hpp"

namespace hone::cloud {

struct Evaluation {
  enum class State : std::uint8_t { waiting, done, failed } state = State::waiting;
  bool queued_now = false;        // waiting, and nobody knew of it before
  wire::EvaluatedModels figures;  // done
  std::string failure;            // failed: of the last attempt
};

// Of the model that `trained` made, against `deployed`. A first one is queued when there is none, and another when the
// last was against another model (a release or a rollback came in between). Errors are the store's.
[[nodiscard]] Result<Evaluation> evaluation_of(JobStore& jobs, const Pipeline& pipeline, const JobRow& trained,
                                               const std::optional<ModelHash>& deployed, Time now);

// One a holdout row. `invalid` when they are none, `unavailable` when the disk has lost them.
[[nodiscard]] Result<std::vector<double>> read_figures(BlobStore& blobs, const BlobHash& figures, std::int64_t rows);

}  // namespace hone::cloud
