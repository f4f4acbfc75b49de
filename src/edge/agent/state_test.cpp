#include "edge/agent/state.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace hone::edge {
namespace {

using S = UpdateState;
using E = UpdateEvent;

const std::vector<S> kStates{S::idle,   S::offered, S::fetching,  S::verified, S::patched,
                             S::tested, S::live,    S::confirmed, S::reverted, S::refused};

TEST(UpdateStates, WalkFromTheOfferToTheEnd) {
  S s = S::idle;
  for (const auto& [event, expected] : std::vector<std::pair<E, S>>{{E::offer, S::offered},
                                                                    {E::manifest_verified, S::fetching},
                                                                    {E::nothing, S::fetching},
                                                                    {E::fetched, S::verified},
                                                                    {E::delta_unusable, S::fetching},
                                                                    {E::fetched, S::verified},
                                                                    {E::patched, S::patched},
                                                                    {E::test_passed, S::tested},
                                                                    {E::went_live, S::live},
                                                                    {E::offer, S::live},
                                                                    {E::proved, S::confirmed},
                                                                    {E::offer, S::offered}}) {
    s = next_state(s, event);
    ASSERT_EQ(s, expected) << name_of(expected);
  }
}

TEST(UpdateStates, EveryStateHasItsAnswerToFailureRefusalAndReboot) {
  for (const S s : kStates) {
    EXPECT_EQ(next_state(s, E::failed), s == S::live ? S::reverted : s) << name_of(s);
    EXPECT_EQ(next_state(s, E::refuse), in_progress(s) ? S::refused : s) << name_of(s);
    EXPECT_EQ(next_state(s, E::reboot), s == S::live ? S::live : S::idle) << name_of(s);
  }
}

TEST(UpdateStates, NothingGoesLiveWithoutPassingEveryCheck) {
  for (const S s : kStates) {
    for (int e = 0; e <= static_cast<int>(E::reboot); ++e) {
      if (next_state(s, static_cast<E>(e)) != S::live || s == S::live) continue;
      EXPECT_EQ(s, S::tested) << name_of(s);
      EXPECT_EQ(static_cast<E>(e), E::went_live);
    }
  }
}

TEST(DeviceStates, FollowTheLiveModel) {
  DeviceState s = DeviceState::bootstrapping;
  s = next_state(s, DeviceEvent::live_below_goal);
  EXPECT_EQ(name_of(s), "learning");
  s = next_state(s, DeviceEvent::live_at_goal);
  EXPECT_EQ(name_of(s), "autonomous");
  s = next_state(s, DeviceEvent::lost_model);
  EXPECT_EQ(name_of(s), "bootstrapping");
}

}  // namespace
}  // namespace hone::edge
