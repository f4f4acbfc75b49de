// Which release a device should run: a pure function, so that asking twice gives the same answer.
//
// A device's place for a release is a number from 0 to 99 drawn by hash from both names, so that not
// always the same devices go first. A step of the rollout offers the release to the places below its percentage.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.hpp"
#include "cloud/release/release_store.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/wire/messages.hpp"

namespace hone::cloud {

[[nodiscard]] int place_of(const DeviceId& device, ReleaseSeq release);  // 0 to 99

// The percentage of the fleet that `release` is offered to. A rollback goes to everybody at once: it is made
// because what runs is bad.
[[nodiscard]] int percent_of(const ReleaseRow& release, const std::vector<int>& rollout);

// The newest published release that reaches this device; 0 when there is none. `releases` newest first.
// One whose rollout was halted stays on the devices that run it and reaches no others.
[[nodiscard]] std::optional<ReleaseRow> release_for(const DeviceId& device, ReleaseSeq running,
                                                    const std::vector<ReleaseRow>& releases,
                                                    const std::vector<int>& rollout);

// Whether devices send samples: until the newest published release meets the goal, or as the file says.
[[nodiscard]] wire::Collect collect_for(CollectUntil until, const std::vector<ReleaseRow>& releases);

[[nodiscard]] wire::Offer make_offer(const DeviceId& device, ReleaseSeq running, const Pipeline& pipeline,
                                     const std::vector<ReleaseRow>& releases);

}  // namespace hone::cloud
