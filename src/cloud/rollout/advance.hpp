// Whether a rollout goes on, waits or stops: a pure function of what the devices of its step told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cloud/release/release_store.hpp"
#include "cloud/rollout/device_store.hpp"

namespace hone::cloud {

// The share of devices that may take a release back before the rollout stops.
constexpr double kRevertedShareMax = 0.05;

struct StepFacts {
  std::int64_t members = 0;    // devices that the step reaches
  std::int64_t awake = 0;      // of those, heard of since the release was published
  std::int64_t confirmed = 0;  // of those awake
  std::int64_t reverted = 0;   // reverted or refused, members or not
};

enum class StepAnswer : std::uint8_t { wait, advance, halt };

// Advance when every awake member has confirmed, but for a share that reverted; a step that reaches no
// device proves nothing and holds up nothing.
[[nodiscard]] StepAnswer next_step(const StepFacts& facts);

[[nodiscard]] StepFacts step_facts(const ReleaseRow& release, const std::vector<int>& rollout,
                                   const std::vector<DeviceRow>& devices, const std::vector<OutcomeRow>& outcomes);

}  // namespace hone::cloud
