#include "cloud/rollout/offer.hpp"

#include <gtest/gtest.h>

namespace hone::cloud {
namespace {

ReleaseRow release(std::uint64_t seq, std::int64_t step = 0) {
  ReleaseRow row;
  row.pipeline = PipelineName("p");
  row.seq = {seq};
  row.state = ReleaseState::published;
  row.rollout_step = step;
  return row;
}

DeviceId device(int i) {
  return DeviceId("dev-" + std::to_string(i));
}

// A device whose place for a release lies in [from, to).
DeviceId device_between(ReleaseSeq seq, int from, int to) {
  for (int i = 0;; ++i) {
    const int place = place_of(device(i), seq);
    if (place >= from && place < to) return device(i);
  }
}

const std::vector<int> kSteps{5, 25, 100};

TEST(Offer, IsNothingBeforeTheFirstRelease) {
  EXPECT_FALSE(release_for(device(1), {}, {}, kSteps).has_value());
  auto unpublished = release(1, 2);
  unpublished.state = ReleaseState::prepared;
  EXPECT_FALSE(release_for(device(1), {}, {unpublished}, kSteps).has_value());
}

TEST(Offer, ReachesMoreDevicesWithEachStep) {
  const auto early = device_between({2}, 0, 5);
  const auto middle = device_between({2}, 5, 25);
  const auto late = device_between({2}, 25, 100);
  const auto seq = [&](const DeviceId& who, std::int64_t step) {
    return release_for(who, {1}, {release(2, step), release(1, 2)}, kSteps)->seq.value;
  };
  EXPECT_EQ(seq(early, 0), 2U);
  EXPECT_EQ(seq(middle, 0), 1U);
  EXPECT_EQ(seq(middle, 1), 2U);
  EXPECT_EQ(seq(late, 1), 1U);
  EXPECT_EQ(seq(late, 2), 2U);
}

TEST(Offer, SpreadsDevicesEvenlyAndAnewForEachRelease) {
  int below = 0;
  int moved = 0;
  for (int i = 0; i < 10000; ++i) {
    if (place_of(device(i), {1}) < 25) ++below;
    if (place_of(device(i), {1}) != place_of(device(i), {2})) ++moved;
  }
  EXPECT_NEAR(below, 2500, 150);
  EXPECT_GT(moved, 9500);
}

TEST(Offer, OfAHaltedReleaseStaysWithThoseWhoRunIt) {
  auto halted = release(2, 2);
  halted.halted = "3 devices took it back";
  EXPECT_EQ(release_for(device(1), {2}, {halted, release(1, 2)}, kSteps)->seq.value, 2U);
  EXPECT_EQ(release_for(device(2), {1}, {halted, release(1, 2)}, kSteps)->seq.value, 1U);
}

TEST(Offer, OfARollbackGoesToEverybodyAtOnce) {
  auto rollback = release(3, 0);
  rollback.rollback_of = ReleaseSeq{1};
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(release_for(device(i), {2}, {rollback, release(2, 2), release(1, 2)}, kSteps)->seq.value, 3U);
  }
}

TEST(Offer, AsksForSamplesUntilThePublishedReleaseMeetsTheGoal) {
  auto good = release(2, 0);
  good.goal_met = true;
  EXPECT_EQ(collect_for(CollectUntil::goal, {}), wire::Collect::all);
  EXPECT_EQ(collect_for(CollectUntil::goal, {release(1)}), wire::Collect::all);
  EXPECT_EQ(collect_for(CollectUntil::goal, {good, release(1)}), wire::Collect::none);
  EXPECT_EQ(collect_for(CollectUntil::goal, {release(3), good}), wire::Collect::all) << "rolled back below the goal";
  EXPECT_EQ(collect_for(CollectUntil::always, {good}), wire::Collect::all);
  EXPECT_EQ(collect_for(CollectUntil::never, {}), wire::Collect::none);
  good.state = ReleaseState::prepared;
  EXPECT_EQ(collect_for(CollectUntil::goal, {good}), wire::Collect::all) << "not published yet";
}

TEST(Offer, CarriesThePipelinesRules) {
  Pipeline pipeline;
  pipeline.name = PipelineName("p");
  pipeline.signal.shape = {3};
  pipeline.collect.daily_bytes = 77;
  pipeline.collect.flush_after = std::chrono::seconds(3);
  pipeline.delivery.check_every.reset();
  auto newest = release(1);
  newest.goal_met = true;
  const auto offer = make_offer(device(1), {}, pipeline, {newest});
  EXPECT_EQ(offer.release.value, 1U);
  EXPECT_TRUE(offer.goal_met);
  EXPECT_EQ(offer.collect, wire::Collect::none);
  EXPECT_EQ(offer.daily_bytes, 77);
  EXPECT_EQ(offer.flush_after, std::chrono::seconds(3));
  EXPECT_EQ(offer.check_every, Duration(0));
  EXPECT_EQ(offer.signal, pipeline.signal);
}

}  // namespace
}  // namespace hone::cloud
