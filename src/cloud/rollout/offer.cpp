#include "cloud/rollout/offer.hpp"

#include <algorithm>
#include <string>

#include "base/hash.hpp"

namespace hone::cloud {

int place_of(const DeviceId& device, ReleaseSeq release) {
  const Sha256 hash = sha256(as_bytes("hone.rollout\n" + device.value + "\n" + std::to_string(release.value)));
  return (hash.bytes[0] << 16 | hash.bytes[1] << 8 | hash.bytes[2]) % 100;
}

int percent_of(const ReleaseRow& release, const std::vector<int>& rollout) {
  if (release.rollback_of || rollout.empty()) return 100;
  const auto last = static_cast<std::int64_t>(rollout.size()) - 1;
  return rollout[static_cast<std::size_t>(std::clamp<std::int64_t>(release.rollout_step, 0, last))];
}

std::optional<ReleaseRow> release_for(const DeviceId& device, ReleaseSeq running,
                                      const std::vector<ReleaseRow>& releases, const std::vector<int>& rollout) {
  for (const auto& release : releases) {
    if (release.state != ReleaseState::published) continue;
    if (release.seq == running) return release;
    if (release.halted.empty() && place_of(device, release.seq) < percent_of(release, rollout)) return release;
  }
  return std::nullopt;
}

wire::Collect collect_for(CollectUntil until, const std::vector<ReleaseRow>& releases) {
  switch (until) {
    case CollectUntil::always: return wire::Collect::all;
    case CollectUntil::never: return wire::Collect::none;
    case CollectUntil::goal: break;
  }
  const auto newest = std::find_if(releases.begin(), releases.end(),
                                   [](const ReleaseRow& r) { return r.state == ReleaseState::published; });
  return newest != releases.end() && newest->goal_met ? wire::Collect::none : wire::Collect::all;
}

wire::Offer make_offer(const DeviceId& device, ReleaseSeq running, const Pipeline& pipeline,
                       const std::vector<ReleaseRow>& releases) {
  wire::Offer offer;
  offer.pipeline = pipeline.name;
  offer.signal = pipeline.signal;
  offer.stream = pipeline.stream;
  if (const auto release = release_for(device, running, releases, pipeline.delivery.rollout)) {
    offer.release = release->seq;
    offer.goal_met = release->goal_met;
  }
  offer.collect = collect_for(pipeline.collect.until, releases);
  offer.flush_after = pipeline.collect.flush_after;
  offer.daily_bytes = pipeline.collect.daily_bytes;
  offer.check_every = pipeline.delivery.check_every.value_or(Duration(0));
  return offer;
}

}  // namespace hone::cloud
