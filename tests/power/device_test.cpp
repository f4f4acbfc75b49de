// The whole device against a cloud that really signs: joining, learning, updating, reverting.
#include <gtest/gtest.h>

#include <algorithm>

#include "device_rig.hpp"

namespace hone::testing {
namespace {

using namespace std::chrono_literals;
using edge::DeviceState;
using wire::OutcomeKind;

struct DeviceTest : ::testing::Test {
  DeviceRig rig;
  const Bytes one = toy_model(1), two = toy_model(2), three = toy_model(3);

  void SetUp() override {
    rig.options.ticket = rig.cloud.ticket();
    const auto opened = rig.open();
    ASSERT_TRUE(opened) << opened.error().context;
  }
  void observe(std::uint8_t id) {
    const Bytes sample{id, 0, 0, 0};
    ASSERT_TRUE(rig.agent->observe({sample, id % 3, rig.now}));
  }
  // Looks at the model often enough that a trial ends well.
  void look() {
    for (std::uint8_t i = 0; i < 10; ++i) (void)rig.infer({i, 1, 1, 1});
  }
  std::uint64_t running() { return rig.agent->status().release.value; }
  bool go(std::uint64_t release) {
    return rig.run_until([&] {
      look();
      return rig.cloud.has_outcome(release, OutcomeKind::confirmed);
    });
  }
  void expect_answers(const Bytes& model, std::uint64_t release) {
    const Bytes sample{9, 8, 7, 6};
    std::vector<float> scores(3);
    const auto answer = rig.agent->infer(sample, scores);
    ASSERT_TRUE(answer) << answer.error().context;
    EXPECT_EQ(answer->release.value, release);
    EXPECT_EQ(scores, toy_scores(model, sample));
    EXPECT_EQ(answer->label, std::max_element(scores.begin(), scores.end()) - scores.begin());
  }
};

TEST_F(DeviceTest, SendsWhatItSeesBeforeThereIsAModel) {
  EXPECT_EQ(rig.infer({1, 2, 3, 4}).error().code, Code::not_found);
  for (std::uint8_t i = 0; i < 30; ++i) observe(i);  // before it has even joined
  ASSERT_TRUE(rig.run_until([&] { return rig.cloud.samples.size() == 30; }));
  for (const auto& [sample, times] : rig.cloud.samples) EXPECT_EQ(times, 1);
  EXPECT_EQ(rig.agent->status().spool.rows, 0U);
  EXPECT_EQ(rig.agent->status().rows_uploaded, 30U);
  EXPECT_EQ(rig.agent->status().state, DeviceState::bootstrapping);
  EXPECT_EQ(rig.agent->status().error, "");
}

// toy_signal is uint8 [4]: windows of four readings of one channel.
TEST_F(DeviceTest, CutsTheWindowsOfAStreamAlsoAfterARestartWithoutANetwork) {
  const Bytes few{1, 2, 3};
  EXPECT_EQ(rig.agent->observe_readings(few, -1, rig.now).error().code, Code::unavailable) << "nothing heard yet";
  rig.cloud.offer.stream = wire::Stream{4, 2, 1000};
  rig.cloud.publish({1, one}, rig.now);
  ASSERT_TRUE(go(1)) << rig.agent->status().error;
  EXPECT_EQ(rig.agent->infer_window({}).error().code, Code::unavailable) << "no window yet";

  const auto hand_over = [&](Bytes readings) {
    std::vector<Bytes> windows;
    for (ByteView rest = readings; !rest.empty();) {
      const auto taken = rig.agent->observe_readings(rest, -1, rig.now);
      EXPECT_TRUE(taken) << taken.error().context;
      if (!taken) break;
      EXPECT_FALSE(taken->not_stored);
      rest = rest.subspan(taken->taken_bytes);
      if (!taken->window_complete) continue;
      std::vector<float> scores(3);
      EXPECT_TRUE(rig.agent->infer_window(scores));
      const std::size_t end = readings.size() - rest.size();
      if (end < 4) continue;
      windows.emplace_back(readings.begin() + static_cast<std::ptrdiff_t>(end) - 4, readings.begin() + static_cast<std::ptrdiff_t>(end));
      EXPECT_EQ(scores, toy_scores(one, windows.back()));
    }
    return windows;
  };
  EXPECT_EQ(hand_over({10, 11, 12, 13, 14, 15, 16}).size(), 2u);
  ASSERT_TRUE(rig.run_until([&] { return rig.cloud.samples.size() == 2; }));
  EXPECT_TRUE(rig.cloud.samples.contains(Bytes{12, 13, 14, 15}));

  // The power goes: the readings of the window that was not complete are lost, and the stream is still known.
  rig.network = false;
  ASSERT_TRUE(rig.open());
  EXPECT_EQ(hand_over({20, 21, 22}).size(), 0u);
  EXPECT_EQ(hand_over({20, 21, 22, 23, 24}).size(), 1u);
  rig.network = true;
  ASSERT_TRUE(rig.run_until([&] { return rig.cloud.samples.size() == 5; }));
  EXPECT_TRUE(rig.cloud.samples.contains(Bytes{20, 21, 22, 20})) << "before the restart: 16 was lost";
  EXPECT_EQ(rig.agent->observe_readings(Bytes{}, -1, rig.now)->taken_bytes, 0u);
}

TEST_F(DeviceTest, RefusesReadingsWhereThereIsNoStream) {
  ASSERT_TRUE(rig.run_until([&] { return rig.agent->status().enrolled && rig.agent->step(rig.now) > 0ms; }));
  const Bytes four{1, 2, 3, 4};
  EXPECT_EQ(rig.agent->observe_readings(four, -1, rig.now).error().code, Code::invalid);
}

TEST_F(DeviceTest, RefusesSamplesThatDoNotFit) {
  ASSERT_TRUE(rig.run_until(
      [&] { return rig.agent->status().enrolled && rig.cloud.tokens.size() == 1 && rig.agent->step(rig.now) > 0ms; }));
  const Bytes small{1}, right{1, 2, 3, 4};
  EXPECT_EQ(rig.agent->observe({small, 0, rig.now}).error().code, Code::invalid);
  EXPECT_EQ(rig.agent->observe({right, 3, rig.now}).error().code, Code::invalid);
  EXPECT_TRUE(rig.agent->observe({right, 2, rig.now}));
}

TEST_F(DeviceTest, GoesLiveThenTakesTheDeltaThenStopsAtTheGoal) {
  rig.cloud.publish({1, one}, rig.now);
  ASSERT_TRUE(go(1)) << rig.agent->status().error;
  EXPECT_EQ(rig.agent->status().state, DeviceState::learning);
  expect_answers(one, 1);

  rig.cloud.publish({2, two, one, {}, true}, rig.now);
  rig.cloud.offer.collect = wire::Collect::none;
  ASSERT_TRUE(go(2)) << rig.agent->status().error;
  expect_answers(two, 2);
  EXPECT_EQ(rig.agent->status().state, DeviceState::autonomous);
  const wire::Outcome& outcome = rig.cloud.outcomes.back();
  EXPECT_TRUE(outcome.by_delta);
  EXPECT_EQ(outcome.fetched_bytes, rig.cloud.target_bytes_served["delta"]);
  EXPECT_LT(outcome.fetched_bytes, two.size() / 4);
  EXPECT_EQ(rig.cloud.target_bytes_served["onnx"], one.size()) << "the second came as a delta";
  EXPECT_EQ(rig.agent->status().models_in_memory, 1);

  const std::size_t rows = rig.cloud.samples.size();
  for (std::uint8_t i = 0; i < 30; ++i) observe(i);
  EXPECT_FALSE(rig.run_until([&] { return rig.cloud.samples.size() > rows; }, 300));
  EXPECT_EQ(rig.agent->status().rows_skipped, 30U);
  EXPECT_EQ(rig.agent->status().spool.rows, 0U);
}

TEST_F(DeviceTest, WorksWithoutANetworkAfterAReboot) {
  rig.cloud.publish({1, one}, rig.now);
  ASSERT_TRUE(go(1));
  rig.network = false;
  rig.options.ticket.reset();
  rig.files.reboot(rig.random);
  ASSERT_TRUE(rig.open());
  expect_answers(one, 1);
  observe(77);
  EXPECT_FALSE(rig.run_until([] { return false; }, 200));
  expect_answers(one, 1);
  EXPECT_NE(rig.agent->status().error, "");
  rig.network = true;
  EXPECT_TRUE(rig.run_until([&] { return rig.cloud.samples.size() == 1; }, 20'000)) << "and sends when it is back";
  EXPECT_TRUE(rig.run_until([&] { return rig.agent->status().error.empty(); }, 20'000));
}

TEST_F(DeviceTest, FallsBackToTheFullFileWhenTheDeltaIsBroken) {
  rig.cloud.publish({1, one}, rig.now);
  ASSERT_TRUE(go(1));
  for (const Bytes& broken : {Bytes(50, 7), Bytes{}}) {
    const std::uint64_t next = running() + 1;
    const Bytes model = toy_model(static_cast<std::uint8_t>(next));
    rig.cloud.publish(
        {next, model, toy_model(static_cast<std::uint8_t>(next - 1)), broken.empty() ? Bytes(60, 1) : broken}, rig.now);
    ASSERT_TRUE(go(next)) << rig.agent->status().error;
    expect_answers(model, next);
    EXPECT_FALSE(rig.cloud.outcomes.back().by_delta);
    EXPECT_GT(rig.cloud.outcomes.back().fetched_bytes, model.size());
  }
}

TEST_F(DeviceTest, PullsTheFullFileWhenNoDeltaFits) {
  rig.cloud.publish({1, one}, rig.now);
  ASSERT_TRUE(go(1));
  rig.cloud.publish({2, three, two}, rig.now);  // from a model that this device never had
  ASSERT_TRUE(go(2));
  expect_answers(three, 2);
}

TEST_F(DeviceTest, RefusesAModelThatFailsItsSelfTestAndKeepsTheOldOne) {
  rig.cloud.publish({1, one}, rig.now);
  ASSERT_TRUE(go(1));
  rig.cloud.publish({2, two, one, {}, false, true}, rig.now);
  ASSERT_TRUE(rig.run_until([&] { return rig.cloud.has_outcome(2, OutcomeKind::refused); }));
  expect_answers(one, 1);
  EXPECT_NE(rig.cloud.outcomes.back().reason.find("self-test"), std::string::npos);
  EXPECT_FALSE(rig.run_until([&] { return rig.cloud.outcomes.size() > 2; }, 500)) << "it is not tried for ever";
  rig.cloud.publish({3, three, one}, rig.now);
  ASSERT_TRUE(go(3));
  expect_answers(three, 3);
}

TEST_F(DeviceTest, RefusesAModelThatDoesNotLoad) {
  rig.cloud.publish({1, to_bytes("broken model")}, rig.now);
  ASSERT_TRUE(rig.run_until([&] { return rig.cloud.has_outcome(1, OutcomeKind::refused); }));
  EXPECT_EQ(running(), 0U);
}

TEST_F(DeviceTest, GoesBackWhenTheNewModelFailsOnASample) {
  rig.cloud.publish({1, one}, rig.now);
  ASSERT_TRUE(go(1));
  rig.runtime.fail_on = 200;  // models that are loaded from now on
  rig.cloud.publish({2, two, one}, rig.now);
  ASSERT_TRUE(rig.run_until([&] { return running() == 2; }));
  rig.runtime.fail_on.reset();
  EXPECT_EQ(rig.infer({200, 0, 0, 0}).error().code, Code::damaged);
  ASSERT_TRUE(rig.run_until([&] { return rig.cloud.has_outcome(2, OutcomeKind::reverted); }));
  expect_answers(one, 1);
  EXPECT_EQ(rig.cloud.outcomes.back().errors, 1U);
  EXPECT_FALSE(rig.run_until([&] { return running() != 1; }, 500)) << "the same release is not taken again";

  rig.files.reboot(rig.random);
  ASSERT_TRUE(rig.open());
  expect_answers(one, 1);
}

TEST_F(DeviceTest, GoesBackWhenItBootsTooOftenDuringATrial) {
  rig.cloud.publish({1, one}, rig.now);
  ASSERT_TRUE(go(1));
  rig.cloud.publish({2, two, one}, rig.now);
  ASSERT_TRUE(rig.run_until([&] { return running() == 2; }));
  for (int boot = 1; boot <= 3; ++boot) {
    rig.files.reboot(rig.random);
    ASSERT_TRUE(rig.open());
    EXPECT_EQ(running(), 2U) << boot;
  }
  rig.files.reboot(rig.random);
  ASSERT_TRUE(rig.open());
  expect_answers(one, 1);
  ASSERT_TRUE(rig.run_until([&] { return rig.cloud.has_outcome(2, OutcomeKind::reverted); }));
}

TEST_F(DeviceTest, ARollbackToAModelItStillHasPullsNothing) {
  rig.cloud.publish({1, one}, rig.now);
  ASSERT_TRUE(go(1));
  rig.cloud.publish({2, two, one}, rig.now);
  ASSERT_TRUE(go(2));
  rig.cloud.target_bytes_served.clear();
  rig.cloud.publish({3, one, two}, rig.now);
  ASSERT_TRUE(go(3));
  expect_answers(one, 3);
  EXPECT_EQ(rig.cloud.target_bytes_served.count("onnx") + rig.cloud.target_bytes_served.count("delta"), 0U);
  EXPECT_EQ(rig.cloud.outcomes.back().fetched_bytes, 0U);
}

TEST_F(DeviceTest, TakesNothingOlderThanItHad) {
  rig.cloud.publish({2, two}, rig.now);
  ASSERT_TRUE(go(2));
  rig.cloud.publish({1, one}, rig.now);
  EXPECT_FALSE(rig.run_until([&] { return running() != 2; }, 500));
  EXPECT_NE(rig.agent->status().error.find("nothing older"), std::string::npos);
}

TEST_F(DeviceTest, SaysWhatToDoWhenTheTicketWasUsed) {
  rig.cloud.tokens["once"] = "another device's nonce";
  ASSERT_TRUE(rig.run_until([&] { return !rig.agent->status().error.empty(); }));
  EXPECT_NE(rig.agent->status().error.find("hone device enroll"), std::string::npos) << rig.agent->status().error;
  EXPECT_FALSE(rig.agent->status().enrolled);
  // A new ticket at the next start is taken.
  rig.options.ticket = rig.cloud.ticket("twice");
  ASSERT_TRUE(rig.open());
  EXPECT_TRUE(rig.run_until([&] { return rig.agent->status().enrolled; }));
}

TEST_F(DeviceTest, ANewDeviceNeedsATicket) {
  DeviceRig fresh;
  const auto opened = fresh.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::invalid);
}

TEST_F(DeviceTest, ASpoiledModelFileFallsBackToTheOneBefore) {
  rig.cloud.publish({1, one}, rig.now);
  ASSERT_TRUE(go(1));
  rig.cloud.publish({2, two, one}, rig.now);
  ASSERT_TRUE(go(2));
  rig.agent.reset();
  {
    auto file = rig.files.open("state/models/b.onnx", OpenMode::write);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write_at(1234, Bytes{1, 2, 3}));
  }
  ASSERT_TRUE(rig.open());
  expect_answers(one, 1);
  ASSERT_TRUE(rig.run_until([&] { return running() == 2; })) << "and pulls it again";
  expect_answers(two, 2);
}

TEST_F(DeviceTest, KeepsWithinItsDailyBytes) {
  rig.cloud.offer.daily_bytes = 1;  // one batch a day
  ASSERT_TRUE(rig.run_until([&] { return rig.agent->status().enrolled; }));
  for (std::uint8_t i = 0; i < 3; ++i) {
    observe(i);
    rig.run_until([] { return false; }, 30);
  }
  EXPECT_EQ(rig.cloud.batches.size(), 1U);
  rig.now += 24h;
  rig.run_until([] { return false; }, 30);
  EXPECT_EQ(rig.cloud.batches.size(), 2U);
}

}  // namespace
}  // namespace hone::testing
