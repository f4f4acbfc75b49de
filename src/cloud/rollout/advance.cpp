#include "cloud/rollout/advance.hpp"

#include <algorithm>
#include <set>

#include "cloud/rollout/offer.hpp"

namespace hone::cloud {

StepAnswer next_step(const StepFacts& facts) {
  const std::int64_t told = facts.confirmed + facts.reverted;
  if (facts.reverted > 0 &&
      static_cast<double>(facts.reverted) > kRevertedShareMax * static_cast<double>(std::max(told, facts.awake))) {
    return StepAnswer::halt;
  }
  if (facts.members == 0) return StepAnswer::advance;
  return facts.awake > 0 && told >= facts.awake ? StepAnswer::advance : StepAnswer::wait;
}

StepFacts step_facts(const ReleaseRow& release, const std::vector<int>& rollout, const std::vector<DeviceRow>& devices,
                     const std::vector<OutcomeRow>& outcomes) {
  std::set<DeviceId> confirmed, reverted;
  for (const auto& row : outcomes) {
    (row.outcome.kind == wire::OutcomeKind::confirmed ? confirmed : reverted).insert(row.device);
  }
  StepFacts facts;
  facts.reverted = static_cast<std::int64_t>(reverted.size());
  const int percent = percent_of(release, rollout);
  for (const auto& device : devices) {
    if (place_of(device.id, release.seq) >= percent) continue;
    ++facts.members;
    if (!release.published || device.seen < *release.published) continue;
    ++facts.awake;
    if (confirmed.contains(device.id) && !reverted.contains(device.id)) ++facts.confirmed;
  }
  return facts;
}

}  // namespace hone::cloud
