#include "cloud/service/evaluation.hpp"

#include "cloud/train/jobs.hpp"
#include "shared/wire/figures.hpp"

namespace hone::cloud {
namespace {

Result<Evaluation> queue_one(JobStore& jobs, const Pipeline& pipeline, const JobRow& trained,
                             const std::optional<ModelHash>& deployed, Time now) {
  JobRow job;
  job.kind = wire::JobKind::evaluate;
  job.needs_commands = true;
  job.pipeline = pipeline.name;
  job.reason = "the figures of " + id_of({trained.number, 1}).value;
  job.toml = pipeline.toml;
  job.dataset = trained.dataset;
  job.base = deployed;
  job.subject = trained.number;
  job.candidate = trained.trained->model;
  job.created = now;
  const auto number = jobs.add(job);
  // Another candidate of this pipeline is being evaluated: this one's turn comes.
  if (!number && number.error().code != Code::invalid) return fail(number.error());
  Evaluation evaluation;
  evaluation.queued_now = number.has_value();
  return evaluation;
}

}  // namespace

Result<Evaluation> evaluation_of(JobStore& jobs, const Pipeline& pipeline, const JobRow& trained,
                                 const std::optional<ModelHash>& deployed, Time now) {
  if (!trained.trained || !trained.dataset) return fail(Code::damaged, "the job has no model: the database is damaged");
  HONE_TRY(const auto last, jobs.evaluation_of(trained.number));
  if (!last) return queue_one(jobs, pipeline, trained, deployed, now);
  Evaluation evaluation;
  switch (last->state) {
    case JobState::queued:
    case JobState::leased: return evaluation;
    case JobState::cancelled: return queue_one(jobs, pipeline, trained, deployed, now);
    case JobState::failed:
      evaluation.state = Evaluation::State::failed;
      evaluation.failure = last->failure;
      return evaluation;
    case JobState::completed: break;
  }
  if (last->base != deployed || !last->figures) return queue_one(jobs, pipeline, trained, deployed, now);
  evaluation.state = Evaluation::State::done;
  evaluation.figures = *last->figures;
  return evaluation;
}

Result<std::vector<double>> read_figures(BlobStore& blobs, const BlobHash& figures, std::int64_t rows) {
  auto file = blobs.get(figures, kModelBytesMax);
  if (!file) return fail(Code::unavailable, "figures " + figures.hex() + ": " + file.error().context);
  return wire::figures_from_npy(*file, rows);
}

}  // namespace hone::cloud
