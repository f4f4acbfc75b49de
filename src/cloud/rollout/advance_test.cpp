#include "cloud/rollout/advance.hpp"

#include <gtest/gtest.h>

#include "cloud/rollout/offer.hpp"

namespace hone::cloud {
namespace {

TEST(Rollout, FollowsItsTable) {
  struct Case {
    const char* name;
    StepFacts facts;
    StepAnswer expect;
  };
  const Case cases[] = {
      {"nobody in the step", {0, 0, 0, 0}, StepAnswer::advance},
      {"nobody awake yet", {5, 0, 0, 0}, StepAnswer::wait},
      {"some confirmed", {5, 5, 4, 0}, StepAnswer::wait},
      {"all awake confirmed", {5, 3, 3, 0}, StepAnswer::advance},
      {"one of eight reverted", {8, 8, 7, 1}, StepAnswer::halt},
      {"the only one reverted", {1, 1, 0, 1}, StepAnswer::halt},
      {"one of a hundred reverted", {100, 100, 99, 1}, StepAnswer::advance},
      {"one of a hundred reverted, others yet to tell", {100, 100, 50, 1}, StepAnswer::wait},
      {"six of a hundred reverted", {100, 100, 10, 6}, StepAnswer::halt},
  };
  for (const auto& c : cases) EXPECT_EQ(next_step(c.facts), c.expect) << c.name;
}

TEST(Rollout, CountsTheDevicesOfItsStepThatWereHeardOfSince) {
  ReleaseRow release;
  release.seq = {1};
  release.state = ReleaseState::published;
  release.published = from_unix_ms(1000);
  std::vector<DeviceRow> devices;
  std::vector<OutcomeRow> outcomes;
  std::int64_t members = 0;
  for (int i = 0; i < 100; ++i) {
    DeviceRow device;
    device.id = DeviceId("dev-" + std::to_string(i));
    device.seen = from_unix_ms(i % 2 == 0 ? 2000 : 500);
    devices.push_back(device);
    OutcomeRow outcome;
    outcome.device = device.id;
    if (i % 2 == 0) outcomes.push_back(outcome);
    if (place_of(device.id, release.seq) < 25) ++members;
  }
  auto facts = step_facts(release, {25, 100}, devices, outcomes);
  EXPECT_EQ(facts.members, members);
  EXPECT_GT(facts.awake, 0);
  EXPECT_LT(facts.awake, members);
  EXPECT_EQ(facts.confirmed, facts.awake);
  EXPECT_EQ(facts.reverted, 0);

  OutcomeRow late_revert = outcomes.front();
  late_revert.outcome.kind = wire::OutcomeKind::reverted;
  outcomes.push_back(late_revert);
  facts = step_facts(release, {25, 100}, devices, outcomes);
  EXPECT_EQ(facts.reverted, 1);
}

}  // namespace
}  // namespace hone::cloud
