#include "edge/agent/state.hpp"

namespace hone::edge {

DeviceState next_state(DeviceState state, DeviceEvent event) {
  switch (event) {
    case DeviceEvent::live_below_goal: return DeviceState::learning;
    case DeviceEvent::live_at_goal: return DeviceState::autonomous;
    case DeviceEvent::lost_model: return DeviceState::bootstrapping;
  }
  return state;
}

std::string_view name_of(DeviceState state) {
  switch (state) {
    case DeviceState::bootstrapping: return "bootstrapping";
    case DeviceState::learning: return "learning";
    case DeviceState::autonomous: return "autonomous";
  }
  return "unknown";
}

bool in_progress(UpdateState state) {
  return state >= UpdateState::offered && state <= UpdateState::tested;
}

UpdateState next_state(UpdateState state, UpdateEvent event) {
  using S = UpdateState;
  using E = UpdateEvent;
  switch (event) {
    case E::nothing: return state;
    // While a trial runs, the release before it is the way back: the next one waits.
    case E::offer: return state == S::live ? state : S::offered;
    case E::manifest_verified: return state == S::offered ? S::fetching : state;
    case E::fetched: return state == S::fetching ? S::verified : state;
    case E::patched: return state == S::verified ? S::patched : state;
    case E::delta_unusable: return state == S::verified ? S::fetching : state;
    case E::test_passed: return state == S::patched ? S::tested : state;
    case E::went_live: return state == S::tested ? S::live : state;
    case E::proved: return state == S::live ? S::confirmed : state;
    case E::failed: return state == S::live ? S::reverted : state;
    case E::refuse: return in_progress(state) ? S::refused : state;
    // What was pulled stays in its part file; the offer is heard again.
    case E::reboot: return state == S::live ? state : S::idle;
  }
  return state;
}

std::string_view name_of(UpdateState state) {
  switch (state) {
    case UpdateState::idle: return "idle";
    case UpdateState::offered: return "offered";
    case UpdateState::fetching: return "fetching";
    case UpdateState::verified: return "verified";
    case UpdateState::patched: return "patched";
    case UpdateState::tested: return "tested";
    case UpdateState::live: return "live";
    case UpdateState::confirmed: return "confirmed";
    case UpdateState::reverted: return "reverted";
    case UpdateState::refused: return "refused";
  }
  return "unknown";
}

}  // namespace hone::edge
