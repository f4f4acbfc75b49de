// What the gate says of all that a job handed in: of its model, and, when that one is not promoted, once of its fallback.
#pragma once

#include <optional>
#include <vector>

#include "base/result.hpp"
#include "cloud/service/evaluation.hpp"
#include "cloud/service/judge.hpp"
#include "cloud/train/job_store.hpp"

namespace hone::cloud {

struct JobJudgement {
  Judgement judgement;               // the one that counts
  std::optional<Judgement> first;    // of the job's model, when `judgement` is of its fallback
  wire::ModelFiles files;            // what `judgement` is about
};

// `released`: the published models, oldest first. The fallback is a second look at the same holdout and is counted as
// one: what it must prove is dearer for it. `evaluation`, for the metric `score` alone: is done or has failed, and then
// the candidate is held; a fallback is not looked at.
// Errors as Judge::judge; `damaged` for a job that has no model.
[[nodiscard]] Result<JobJudgement> judge_job(Judge& judge, const Pipeline& pipeline, const JobRow& job,
                                             const std::vector<ModelHash>& released,
                                             const std::optional<Look>& last_look,
                                             const std::optional<Evaluation>& evaluation = std::nullopt);

}  // namespace hone::cloud
