#include "cloud/service/judge_job.hpp"

#include <utility>

#include "cloud/gate/gate.hpp"

namespace hone::cloud {
namespace {

Result<Judgement> judge_evaluated(Judge& judge, Question question, const Evaluation& evaluation) {
  if (evaluation.state == Evaluation::State::done) {
    question.figures = evaluation.figures;
    return judge.judge(question);
  }
  Judgement held;
  held.decision = name_of(Decision::hold);
  held.reason = "the candidate could not be measured by train.eval: " + evaluation.failure;
  held.numbers = {{"error", held.reason}};
  held.metric = name_of(question.pipeline.gate.metric);
  return held;
}

}  // namespace

Result<JobJudgement> judge_job(Judge& judge, const Pipeline& pipeline, const JobRow& job,
                               const std::vector<ModelHash>& released, const std::optional<Look>& last_look,
                               const std::optional<Evaluation>& evaluation) {
  if (!job.trained || !job.dataset) return fail(Code::damaged, "the job has no model: the database is damaged");
  JobJudgement answer;
  answer.files = *job.trained;
  if (evaluation) {
    HONE_TRY(answer.judgement, judge_evaluated(judge, {pipeline, *job.dataset, job.trained->model, released, last_look},
                                               *evaluation));
    return answer;
  }
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
