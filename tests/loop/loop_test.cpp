// The whole journey, seeded: learn, improve, go silent; with a network that loses a quarter of what it
// carries, and with power that goes at any write of the cloud's disk or a device's.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "world.hpp"

namespace hone::loop {
namespace {

void learn_and_improve(World& world) {
  world.observe(110);
  ASSERT_TRUE(world.run_until([&] { return world.all_run(1); })) << world.complaints();
  world.observe(1000);
  ASSERT_TRUE(world.run_until([&] { return world.all_run(2); })) << world.complaints();
}

TEST(Loop, LearnsImprovesByDeltaAndGoesSilent) {
  World world({});
  world.observe(110);
  ASSERT_TRUE(world.run_until([&] { return world.all_run(1); })) << world.ask("/v1/status").dump(1);
  const double first = world.accuracy(world.devices[0], 2000);
  world.observe(1000);
  ASSERT_TRUE(world.run_until([&] { return world.all_run(2); })) << world.ask("/v1/pipelines/board/verdicts").dump(1);
  EXPECT_GT(world.accuracy(world.devices[0], 2000), first);

  // The goal is met: what is observed from now on stays where it is, with the cloud and without.
  ASSERT_TRUE(world.ask("/v1/status").at("pipelines").at(0).at("goal_met").get<bool>());
  const auto uploaded = world.rows_uploaded();
  const auto rows = world.rows_in_cloud();
  world.observe(100);
  EXPECT_EQ(world.rows_uploaded(), uploaded);
  EXPECT_EQ(world.rows_in_cloud(), rows);
  world.stop_cloud();
  for (auto& device : world.devices) device.answers = 0;
  world.observe(100);
  for (const auto& device : world.devices) {
    EXPECT_EQ(device.answers, 100u);
    EXPECT_EQ(device.errors, 0u);
    EXPECT_LE(device.agent->status().models_in_memory, 2);
  }
}

// The SHA-256 of every model file that a device has.
std::set<std::string> models_on(SimDevice& device) {
  std::set<std::string> hashes;
  for (const char slot : {'a', 'b'}) {
    const auto file = read_file(*device.disk, std::string("hone/models/") + slot + ".onnx", 1 << 20);
    if (file) hashes.insert(sha256(*file).hex());
  }
  return hashes;
}

TEST(Loop, OneReleaseServesDevicesOfTwoFormatsEachByItsOwnDelta) {
  World world({.devices = 2, .first_at_samples = 200, .new_samples = 1600, .exports_int8 = true, .int8_devices = 1});
  learn_and_improve(world);
  ASSERT_TRUE(world.run_until([&] {
    return world.ask("/v1/pipelines/board/releases").at("releases").at(0).at("outcomes").size() == 2;
  })) << world.complaints();
  const Json releases = world.ask("/v1/pipelines/board/releases").at("releases");
  for (const std::size_t i : {0U, 1U}) {  // newest first
    const Json& release = releases.at(releases.size() - 2 + i);
    ASSERT_EQ(release.at("exports").size(), 1U) << world.ask("/v1/pipelines/board/verdicts").dump(1);
    const std::string plain = release.at("model"), int8 = release.at("exports").at(0).at("model");
    EXPECT_TRUE(models_on(world.devices[0]).contains(int8));
    EXPECT_FALSE(models_on(world.devices[0]).contains(plain));
    EXPECT_TRUE(models_on(world.devices[1]).contains(plain));
    EXPECT_FALSE(models_on(world.devices[1]).contains(int8));
    EXPECT_LT(release.at("exports").at(0).at("full_bytes"), release.at("full_bytes"));
  }
  for (const Json& outcome : releases.at(0).at("outcomes")) {
    EXPECT_EQ(outcome.at("kind"), "confirmed") << outcome.dump();
    EXPECT_TRUE(outcome.at("by_delta").get<bool>()) << outcome.dump();
  }
  EXPECT_NEAR(world.accuracy(world.devices[0], 2000), world.accuracy(world.devices[1], 2000), 0.06);
  for (const auto& device : world.devices) EXPECT_EQ(device.errors, 0U);
}

TEST(Loop, ADeviceWhoseFormatIsNotExportedRunsThePlainFile) {
  World world({.devices = 2, .first_at_samples = 200, .int8_devices = 1});
  world.observe(110);
  ASSERT_TRUE(world.run_until([&] { return world.all_run(1); })) << world.complaints();
  const std::string plain = world.ask("/v1/pipelines/board/releases").at("releases").at(0).at("model");
  EXPECT_TRUE(models_on(world.devices[0]).contains(plain));
}

// The second release, its verdict, and what its training says of updates for the wire.
struct Improvement {
  Json release, verdict, wire;
};
Improvement second_of(World& world) {
  const Json releases = world.ask("/v1/pipelines/board/releases").at("releases");  // newest first
  const Json verdicts = world.ask("/v1/pipelines/board/verdicts").at("verdicts");
  for (const Json& verdict : verdicts)
    if (verdict.at("release") == 2)
      return {releases.at(releases.size() - 2), verdict,
              world.ask("/v1/jobs/" + verdict.at("job").get<std::string>()).at("lineage").at("wire")};
  ADD_FAILURE() << "no verdict made release 2: " << verdicts.dump(1);
  return {};
}

TEST(Loop, AnUpdateTrainedForTheWireReachesDevicesInItsBudget) {
  World world({.wire_budget = "1500 B", .wire_keep = 0.5});
  learn_and_improve(world);
  const auto [release, verdict, wire] = second_of(world);
  ASSERT_FALSE(wire.at("chosen").is_null()) << wire.dump(1);
  ASSERT_TRUE(verdict.at("first_look").is_null()) << "the gate took the small one: " << verdict.dump(1);
  // What was measured while it was trained is what was published: its hints reached the encoder.
  const Json& delta = release.at("deltas").at(0);
  EXPECT_EQ(delta.at("bytes"), wire.at("points").at(wire.at("chosen").get<std::size_t>()).at("bytes"));
  EXPECT_LE(delta.at("bytes"), 1500);
  for (const auto& device : world.devices) EXPECT_EQ(device.errors, 0U);
}

TEST(Loop, WhenTheSmallUpdateIsNotBetterTheFreeOneIsTheSecondLook) {
  // Hardly anything may change, and that is called enough; the gate asks for half of what free training gains.
  World world({.margin = 0.06, .wire_budget = "240 B", .wire_keep = 0});
  learn_and_improve(world);
  const auto [release, verdict, wire] = second_of(world);
  ASSERT_FALSE(wire.at("chosen").is_null()) << wire.dump(1);
  ASSERT_FALSE(verdict.at("first_look").is_null()) << verdict.dump(1);
  EXPECT_NE(verdict.at("first_look").at("decision"), "promote");
  EXPECT_EQ(verdict.at("decision"), "promote");
  EXPECT_GT(release.at("deltas").at(0).at("bytes"), 240);
}

TEST(Loop, EverySampleArrivesOnceOverANetworkThatLosesAndCutsShort) {
  World world({.seed = 7, .faults = {.drop_request = 0.1, .drop_response = 0.1, .truncate = 0.05}});
  learn_and_improve(world);
  ASSERT_TRUE(world.run_until([&] { return world.rows_in_cloud() >= static_cast<std::int64_t>(world.rows_uploaded()); }));
  EXPECT_LE(world.rows_in_cloud(), static_cast<std::int64_t>(world.rows_observed));
  for (const auto& device : world.devices) EXPECT_EQ(device.errors, 0u);
}

TEST(Loop, TheSameSeedTellsTheSameStory) {
  const auto story = [](std::uint64_t seed) {
    World world({.seed = seed});
    world.observe(110);
    EXPECT_TRUE(world.run_until([&] { return world.all_run(1); }));
    return world.ask("/v1/pipelines/board/releases").at("releases").at(0).at("model").get<std::string>();
  };
  const std::string once = story(3);
  EXPECT_EQ(once, story(3));
  EXPECT_NE(once, story(4));
}

// The cloud's power goes at a write, somewhere between the first upload and the second release.
class CloudPower : public testing::TestWithParam<int> {};

TEST_P(CloudPower, ComesBackWithEveryAcknowledgedSampleAndGoesOn) {
  World world({.seed = static_cast<std::uint64_t>(GetParam())});
  world.cut_cloud_power_at(static_cast<std::uint64_t>(20 + 37 * GetParam()));
  world.observe(110);
  ASSERT_TRUE(world.run_until([&] { return world.cloud_lost_power() || world.all_run(1); }));
  world.restart_cloud();
  ASSERT_TRUE(world.run_until([&] { return world.all_run(1); })) << world.ask("/v1/status").dump(1);
  world.observe(1000);
  ASSERT_TRUE(world.run_until([&] { return world.all_run(2); })) << world.ask("/v1/status").dump(1);
  // Nothing acknowledged is lost, nothing is there twice.
  EXPECT_GE(world.rows_in_cloud(), static_cast<std::int64_t>(world.rows_uploaded()));
  EXPECT_LE(world.rows_in_cloud(), static_cast<std::int64_t>(world.rows_observed));
}
INSTANTIATE_TEST_SUITE_P(Cuts, CloudPower, testing::Range(0, 10));

// A device's power goes at a write: it boots with the old model or the new one, and gets there.
class DevicePower : public testing::TestWithParam<int> {};

TEST_P(DevicePower, BootsWithAWholeModelAndGoesOn) {
  World world({.seed = static_cast<std::uint64_t>(100 + GetParam())});
  auto& device = world.devices[0];
  device.disk->cut_power_at(static_cast<std::uint64_t>(10 + 11 * GetParam()));
  world.observe(110);
  static_cast<void>(world.run_until([&] { return world.all_run(1); }, 5));
  world.restart_device(device);
  world.observe(110);  // what was not durable is gone, and the first model wants its samples
  ASSERT_TRUE(world.run_until([&] { return world.all_run(1); })) << device.agent->status().error;

  device.disk->cut_power_at(static_cast<std::uint64_t>(40 + 13 * GetParam()));
  world.observe(1000);
  static_cast<void>(world.run_until([&] { return world.all_run(2); }, 5));
  world.restart_device(device);
  const auto booted = device.agent->status().release.value;
  EXPECT_TRUE(booted == 1 || booted == 2) << booted;
  EXPECT_GT(world.accuracy(device, 500), 0.55);  // better than guessing: a whole model answers
  if (!world.all_run(2)) world.observe(1000);
  ASSERT_TRUE(world.run_until([&] { return world.all_run(2); })) << device.agent->status().error;
  EXPECT_LE(world.rows_in_cloud(), static_cast<std::int64_t>(world.rows_observed));
}
INSTANTIATE_TEST_SUITE_P(Cuts, DevicePower, testing::Range(0, 10));

}  // namespace
}  // namespace hone::loop
