#include "loop_view.hpp"

#include <gtest/gtest.h>

#include "columns.hpp"

namespace hone::app {
namespace {

Json status() {
  return {{"now", 1764093600000},
          {"received", {{"rows", 36120}, {"bytes", 24.1e6}}},
          {"problem", nullptr},
          {"broker_problem", nullptr},
          {"jobs", Json::array()},
          {"pipelines",
           {{{"name", "digits"},
             {"state", "learning"},
             {"samples", 36120},
             {"received", {{"batches", 400}, {"rows", 36120}, {"bytes", 24.1e6}}},
             {"parts", {{"training", 32508}, {"holdout", 3612}}},
             {"goal", 0.985},
             {"collect", "all"},
             {"datasets", 2},
             {"deployed", {{"release", 1}, {"metric", "accuracy"}, {"value", 0.971}, {"goal_met", false}}},
             {"rollout", {{"release", 1}, {"percent", 25}, {"halted", nullptr}}},
             {"job", nullptr},
             {"last_verdict", {{"job", "job-1"}, {"decision", "promote"}, {"reason", "the first model reaches its goal"}}},
             {"next_trigger", {{"due", false}, {"samples_missing", 1880}, {"not_before", nullptr}}},
             {"devices", {{"count", 20}, {"by_release", {{"0", 15}, {"1", 5}}}, {"by_state", {{"learning", 20}}}, {"spooled", 120}}},
             {"file_error", nullptr},
             {"problem", nullptr}}}}};
}

using Lines = std::vector<std::string>;
const std::vector<LoopEvent> kNoEvents;

TEST(LoopView, ShowsEveryStageOfALoop) {
  EXPECT_EQ(loop_lines({status(), Json::object(), 210.4, kNoEvents}, 200, 40, {false}),
            (Lines{"hone  2025-11-25T18:00:00Z  36,120 samples, 24.1 MB, 210 samples/s",
                   "",
                   "digits  learning",
                   "  samples   36,120 received (24.1 MB), 32,508 to train on, 3,612 held out; 2 dataset versions",
                   "  training  waits for 1,880 more samples",
                   "  verdict   job-1 promote: the first model reaches its goal",
                   "  release   1: accuracy 97.10% of 98.50%, live on 5 of 20 devices, offered to 25%",
                   "  devices   20, 20 learning; 120 samples wait on them; they send what they see"}));
}

TEST(LoopView, ShowsARunningJobWithItsCurve) {
  Json running = status();
  running["pipelines"][0]["job"] = {{"id", "job-2"}, {"state", "leased"}, {"trainer", "gpu"}, {"reason", "new"}, {"latest", {{"progress", 0.5}, {"epoch", 3}, {"loss", 0.2}, {"validation_metric", 0.9}}}};
  const auto line = [&](const Json& points, std::size_t at) { return loop_lines({running, points, 0, kNoEvents}, 100, 40, {false}).at(at); };
  EXPECT_EQ(line(Json::object(), 4), "  training  job-2  on gpu [###############...............]  50%  epoch 3  loss 0.2000  metric 0.9000");
  const Json points = {{"job-2", {{{"progress", 0.1}, {"epoch", 1}, {"loss", 2.0}}, {{"progress", 0.5}, {"epoch", 3}, {"loss", 0.2}}}}};
  EXPECT_NE(line(points, 5).find("loss  2.0000 |*"), std::string::npos) << line(points, 5);
  running["pipelines"][0]["job"]["state"] = "queued";
  running["pipelines"][0]["job"]["latest"] = nullptr;
  EXPECT_EQ(line(Json::object(), 4), "  training  job-2  queued: new");
}

TEST(LoopView, ShowsTheNewestEventsThatFit) {
  std::vector<LoopEvent> events;
  for (int i = 0; i < 30; ++i) events.push_back({from_unix_ms(1764093600000), "digits", "samples", "event " + std::to_string(i), Json::object()});
  const auto lines = loop_lines({status(), Json::object(), 0, events}, 120, 14, {false});
  ASSERT_EQ(lines.size(), 14u);
  EXPECT_NE(lines.back().find("event 29"), std::string::npos);
  EXPECT_NE(lines[9].find("event 25"), std::string::npos) << lines[9];
}

TEST(LoopView, KeepsWithinASmallTerminal) {
  Json many = status();
  for (int i = 0; i < 5; ++i) many["pipelines"].push_back(many["pipelines"][0]);
  for (std::size_t columns = 1; columns < 120; columns += 7)
    for (std::size_t lines = 1; lines < 30; lines += 3) {
      const auto text = loop_lines({many, Json::object(), 0, kNoEvents}, columns, lines, {true});
      EXPECT_LE(text.size(), lines);
      for (const auto& line : text) EXPECT_LE(columns_of(line), columns);
    }
}

TEST(LoopView, SaysWhatIsWrong) {
  Json wrong = status();
  wrong["broker_problem"] = "mosquitto is not installed";
  wrong["pipelines"][0]["rollout"]["halted"] = "2 devices took it back";
  wrong["pipelines"][0]["file_error"] = "digits.toml:3:1: unknown key";
  std::string text;
  for (const auto& line : loop_lines({wrong, Json::object(), 0, kNoEvents}, 200, 40, {false})) text += line + "\n";
  for (const char* part : {"mosquitto is not installed", "halted: 2 devices took it back", "digits.toml:3:1"}) EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(LoopView, AnEmptyServerSaysWhatToDo) {
  Json empty = status();
  empty["pipelines"] = Json::array();
  EXPECT_NE(loop_lines({empty, Json::object(), 0, kNoEvents}, 200, 40, {false}).at(1).find("no pipeline"), std::string::npos);
}

}  // namespace
}  // namespace hone::app
