#include "loop_events.hpp"

#include <gtest/gtest.h>

namespace hone::app {
namespace {

// GET /v1/status of a server with one pipeline that nothing has happened to.
Json status() {
  return {{"now", 1764093600000},
          {"problem", nullptr},
          {"broker_problem", nullptr},
          {"pipelines",
           {{{"name", "digits"},
             {"samples", 0},
             {"received", {{"rows", 0}, {"bytes", 0}}},
             {"goal", 0.985},
             {"collect", "all"},
             {"datasets", 0},
             {"deployed", nullptr},
             {"rollout", nullptr},
             {"last_job", nullptr},
             {"last_verdict", nullptr},
             {"devices", {{"count", 0}, {"by_release", Json::object()}}},
             {"file_error", nullptr},
             {"problem", nullptr}}}}};
}

class LoopEventsTest : public ::testing::Test {
 protected:
  Json& pipeline() { return now_["pipelines"][0]; }
  // "kind: text" of each event since the last call.
  std::vector<std::string> news() {
    std::vector<std::string> texts;
    for (const LoopEvent& event : loop_events(before_, now_)) {
      texts.push_back(event.kind + ": " + event.text);
      EXPECT_EQ(event.at, from_unix_ms(1764093600000));
    }
    before_ = now_;
    return texts;
  }
  using Lines = std::vector<std::string>;
  Json before_ = status(), now_ = status();
};

TEST_F(LoopEventsTest, WhatDoesNotChangeIsNoEvent) { EXPECT_EQ(news(), Lines{}); }

TEST_F(LoopEventsTest, TheFirstLookFindsNothingNew) { EXPECT_TRUE(loop_events(nullptr, now_).empty()); }

TEST_F(LoopEventsTest, SamplesDevicesAndDatasets) {
  pipeline()["received"] = {{"rows", 1200}, {"bytes", 34000}};
  pipeline()["devices"]["count"] = 2;
  EXPECT_EQ(news(), (Lines{"samples: +1,200 samples, 1,200 in all, 34.0 kB", "devices: 2 devices joined, 2 in all"}));
  pipeline()["datasets"] = 1;
  pipeline()["samples"] = 1200;
  EXPECT_EQ(news(), (Lines{"dataset: dataset version 1 is cut, of 1,200 samples"}));
}

TEST_F(LoopEventsTest, AJobFromQueueToVerdict) {
  pipeline()["last_job"] = {{"id", "job-1"}, {"state", "queued"}, {"reason", "1200 samples"}, {"attempts", 0}, {"progress", 0}, {"latest", nullptr}};
  EXPECT_EQ(news(), (Lines{"job: job-1 queued: 1200 samples"}));
  pipeline()["last_job"].update({{"state", "leased"}, {"trainer", "gpu"}, {"attempts", 1}});
  EXPECT_EQ(news(), (Lines{"job: job-1 leased by gpu"}));
  pipeline()["last_job"].update({{"progress", 0.25}, {"latest", {{"epoch", 2}, {"loss", 0.5}, {"validation_metric", 0.75}}}});
  EXPECT_EQ(news(), (Lines{"job: job-1 25.00%, epoch 2, loss 0.5, metric 0.75"}));
  pipeline()["last_job"]["progress"] = 0.3;
  EXPECT_EQ(news(), Lines{}) << "one line an epoch";
  pipeline()["last_job"].update({{"trainer", "cpu"}, {"attempts", 2}});
  EXPECT_EQ(news(), (Lines{"job: job-1 leased by cpu, attempt 2"}));
  pipeline()["last_job"]["state"] = "completed";
  pipeline()["last_verdict"] = {{"job", "job-1"}, {"decision", "promote"}, {"reason", "it meets the first goal"}};
  EXPECT_EQ(news(), (Lines{"job: job-1 completed", "verdict: job-1 promote: it meets the first goal"}));
}

TEST_F(LoopEventsTest, AJobThatFailsSaysWhy) {
  pipeline()["last_job"] = {{"id", "job-1"}, {"state", "failed"}, {"failure", "the loss is no number"}, {"attempts", 3}, {"progress", 0}};
  EXPECT_EQ(news(), (Lines{"job: job-1 failed: the loss is no number"}));
}

TEST_F(LoopEventsTest, AReleaseGoesLiveAndDevicesFallSilent) {
  pipeline()["deployed"] = {{"release", 1}, {"metric", "accuracy"}, {"value", 0.9871}, {"goal_met", true}};
  pipeline()["rollout"] = {{"release", 1}, {"percent", 5}, {"halted", nullptr}};
  pipeline()["devices"] = {{"count", 20}, {"by_release", {{"0", 20}}}};
  pipeline()["collect"] = "none";
  EXPECT_EQ(news(), (Lines{"release: release 1: accuracy 98.71%, the goal is met", "collect: devices stop sending", "devices: 20 devices joined, 20 in all"}));
  pipeline()["devices"]["by_release"] = {{"0", 19}, {"1", 1}};
  EXPECT_EQ(news(), (Lines{"live: release 1 is live on 1 of 20 devices"}));
  pipeline()["rollout"]["percent"] = 25;
  EXPECT_EQ(news(), (Lines{"rollout: release 1 is offered to 25% of the devices"}));
  pipeline()["rollout"]["halted"] = "2 devices took release 1 back";
  EXPECT_EQ(news(), (Lines{"rollout: the rollout of release 1 is halted: 2 devices took release 1 back"}));
}

TEST_F(LoopEventsTest, ProblemsComeAndGo) {
  pipeline()["problem"] = "disk full";
  now_["broker_problem"] = "no mosquitto";
  EXPECT_EQ(news(), (Lines{"problem: disk full", "problem: no mosquitto"}));
  pipeline()["problem"] = nullptr;
  EXPECT_EQ(news(), (Lines{"problem: the problem is gone"}));
}

TEST_F(LoopEventsTest, ANewPipelineIsToldFromItsBeginning) {
  before_["pipelines"] = Json::array();
  pipeline()["received"]["rows"] = 7;
  EXPECT_EQ(news(), (Lines{"samples: +7 samples, 7 in all, 0 B"}));
}

TEST_F(LoopEventsTest, AnAnswerOfAnotherVersionGivesFewerEvents) {
  EXPECT_TRUE(loop_events(status(), {{"pipelines", 7}}).empty());
  EXPECT_TRUE(loop_events(status(), {{"pipelines", {{{"name", "digits"}, {"received", {{"rows", "many"}}}, {"collect", "all"}}}}}).empty());
  EXPECT_TRUE(loop_events({{"pipelines", {1, nullptr}}}, {{"pipelines", {nullptr}}}).empty());
}

TEST_F(LoopEventsTest, AnEventIsALineOrAnObject) {
  pipeline()["devices"]["count"] = 1;
  const LoopEvent event = loop_events(before_, now_).at(0);
  EXPECT_EQ(line_of(event), "2025-11-25T18:00:00Z  digits  devices  1 device joined, 1 in all");
  EXPECT_EQ(to_json(event), (Json{{"at", 1764093600000}, {"pipeline", "digits"}, {"event", "devices"}, {"text", "1 device joined, 1 in all"}, {"more", 1}, {"devices", 1}}));
}

}  // namespace
}  // namespace hone::app
