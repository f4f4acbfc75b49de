#include "cloud/service/trigger_facts.hpp"

#include <algorithm>

namespace hone::cloud {

std::int64_t usable_samples(const Pipeline& pipeline, const DatasetTotals& totals) {
  return learns_labels(pipeline.train.recipe) ? totals.labelled : totals.training + totals.holdout;
}

const ReleaseRow* newest_published(const std::vector<ReleaseRow>& releases) {
  const auto found = std::find_if(releases.begin(), releases.end(),
                                  [](const ReleaseRow& r) { return r.state == ReleaseState::published; });
  return found == releases.end() ? nullptr : &*found;
}

Result<TrainingSituation> training_situation(const Stores& stores, const Pipeline& pipeline, Time now) {
  TrainingSituation situation;
  HONE_TRY(situation.totals, stores.datasets->totals(pipeline.name));
  HONE_TRY(situation.last, stores.jobs->last(pipeline.name));
  HONE_TRY(situation.releases, stores.releases->list(pipeline.name));

  TriggerFacts& facts = situation.facts;
  facts.now = now;
  facts.samples = usable_samples(pipeline, situation.totals);
  facts.fingerprint = pipeline.recipe_fingerprint();
  facts.has_model = newest_published(situation.releases) != nullptr;
  facts.busy = std::any_of(situation.releases.begin(), situation.releases.end(),
                           [](const ReleaseRow& r) { return r.state != ReleaseState::published; });
  if (!situation.last) return situation;

  const JobRow& job = *situation.last;
  if (job.state == JobState::queued && !job.dataset) {
    facts.asked = job.reason;
    return situation;
  }
  facts.last = TriggerFacts::LastJob{job.samples, job.fingerprint, job.created, job.ended.value_or(job.created)};
  if (job.state == JobState::queued || job.state == JobState::leased) facts.busy = true;
  if (job.state == JobState::completed) {
    HONE_TRY(const auto verdict, stores.releases->verdict(job.number));
    if (verdict) {
      facts.last->ended = verdict->at;
    } else {
      facts.busy = true;
    }
  }
  return situation;
}

}  // namespace hone::cloud
