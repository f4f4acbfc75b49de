#include "cloud/service/judge_job.hpp"

#include <utility>

namespace hone::cloud {

Result<JobJudgement> judge_job(Judge& judge, const Pipeline& pipeline, const JobRow& job,
                               const std::vector<ModelHash>& released, const std::optional<Look>& last_look) {
  if (!job.trained || !job.dataset) return fail(Code::damaged, "the job has no model: the database is damaged");
  JobJudgement answer;
  answer.files = *job.trained;
  HONE_TRY(answer.judgement, judge.judge({pipeline, *job.dataset, job.trained->model, released, last_look}));
  if (answer.judgement.promote || !job.fallback) return answer;

  const auto look = look_of(answer.judgement.numbers);
  HONE_TRY(Judgement second,
           judge.judge({pipeline, *job.dataset, job.fallback->model, released, look ? look : last_look}));
  answer.first = std::exchange(answer.judgement, std::move(second));
  answer.judgement.reason = "the fallback, a second look: " + answer.judgement.reason;
  answer.files = *job.fallback;
  return answer;
}

}  // namespace hone::cloud
