// The device's states and how they change: pure functions, one table each.
#pragma once

#include <cstdint>
#include <string_view>

namespace hone::edge {

// ---- what the device is ---------------------------------------------------------------------

enum class DeviceState : std::uint8_t {
  bootstrapping,  // no model yet
  learning,       // runs a model below the goal
  autonomous,     // runs a model that meets the goal: works for ever without a network
};

enum class DeviceEvent : std::uint8_t { live_below_goal, live_at_goal, lost_model };

[[nodiscard]] DeviceState next_state(DeviceState state, DeviceEvent event);
[[nodiscard]] std::string_view name_of(DeviceState state);

// ---- one release on its way in ----------------------------------------------------------------

enum class UpdateState : std::uint8_t {
  idle,       // nothing was offered
  offered,    // a release that is not installed
  fetching,   // its manifest is verified, its delta or file is being pulled
  verified,   // the pulled bytes are the signed ones
  patched,    // the model file is whole beside the installed one
  tested,     // it passed the self-test
  live,       // it answers, on trial
  confirmed,  // the three ends; another offer may follow
  reverted,
  refused,
};

enum class UpdateEvent : std::uint8_t {
  nothing,  // a step that did not change the state
  offer,    // another release is offered
  manifest_verified,
  fetched,
  patched,
  delta_unusable,  // wrong base or damaged: pull the full file
  test_passed,
  went_live,
  proved,  // the trial: enough answers without an error
  failed,  // the trial: an error
  refuse,  // not to be installed
  reboot,
};

// An event that means nothing in a state leaves it as it is.
[[nodiscard]] UpdateState next_state(UpdateState state, UpdateEvent event);
[[nodiscard]] std::string_view name_of(UpdateState state);

// On its way: neither idle nor live nor at an end.
[[nodiscard]] bool in_progress(UpdateState state);

}  // namespace hone::edge
