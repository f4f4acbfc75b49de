// What a command says: progress lines, log, metrics.json.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "trainer/command/metrics_file.hpp"
#include "trainer/command/output_lines.hpp"
#include "trainer/command/progress_line.hpp"

namespace hone::trainer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ProgressLine, SaysHowFarACommandIs) {
  const auto point = progress_from("progress 0.3 epoch 2 loss 0.11 metric 0.95", {});
  ASSERT_TRUE(point);
  EXPECT_EQ(point->progress, 0.3);
  EXPECT_EQ(point->epoch, 2);
  EXPECT_EQ(point->loss, 0.11);
  EXPECT_EQ(point->validation_metric, 0.95);
}

TEST(ProgressLine, KeepsWhatItDoesNotSay) {
  const wire::ProgressPoint last{0.1, 4, 0.5, 0.9};
  const auto point = progress_from("  progress 0.5  lr 1e-3 loss 0.4", last);
  ASSERT_TRUE(point);
  EXPECT_EQ(point->epoch, 4);
  EXPECT_EQ(point->loss, 0.4);
  EXPECT_EQ(point->validation_metric, 0.9);
}

TEST(ProgressLine, TellsALossThatBlewUp) {
  EXPECT_TRUE(std::isnan(progress_from("progress 0.5 loss nan", {})->loss));
  EXPECT_TRUE(std::isnan(progress_from("progress 0.5 metric inf", {})->validation_metric));
}

TEST(ProgressLine, LeavesOrdinaryLinesToTheLog) {
  for (const char* line : {"", "progress", "progress: 0.3", "progressing 0.3", "progress 1.5", "progress -0.1",
                           "progress nan", "progress 30%", "progress 0.3 epoch", "progress 0.3 epoch -1",
                           "progress 0.3 epoch 1.5", "progress 0.3 loss much", "epoch 2 progress 0.3"})
    EXPECT_FALSE(progress_from(line, {})) << line;
}

TEST(OutputLines, ComeWholeHoweverTheyArrive) {
  std::vector<std::string> lines;
  OutputLines output([&](std::string_view line) { lines.emplace_back(line); });
  for (const char* piece : {"on", "e\ntwo\r", "\nthr", "ee\n\n", "last"}) output.add(piece);
  output.finish();
  output.finish();
  EXPECT_THAT(lines, ElementsAre("one", "two", "three", "last"));
}

TEST(OutputLines, AreCutWhereTheyDoNotEnd) {
  std::vector<std::string> lines;
  OutputLines output([&](std::string_view line) { lines.emplace_back(line); });
  for (int i = 0; i < 100; ++i) output.add(std::string(1000, 'x'));
  output.add("\nnext\n");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], std::string(kOutputLineBytesMax, 'x'));
  EXPECT_EQ(lines[1], "next");
}

TEST(LogTail, KeepsTheEndWithinItsBound) {
  LogTail log;
  for (int i = 0; i < 10'000; ++i) log.add("line " + std::to_string(i));
  EXPECT_LE(log.text().size(), kLogBytesMax);
  EXPECT_GT(log.text().size(), kLogBytesMax - 16);
  EXPECT_TRUE(log.text().starts_with("line "));
  EXPECT_EQ(log.last_line(), "line 9999");
  EXPECT_TRUE(log.cut());
}

TEST(LogTail, HoldsTextOnly) {
  LogTail log;
  log.add("\x1b[31mred \xc3\xa4 \xf0\x9f\x98\x80 \xff\xc3(\xed\xa0\x80");
  EXPECT_EQ(log.text(),
            "?[31mred \xc3\xa4 \xf0\x9f\x98\x80 ?"
            "?(???\n");
  EXPECT_FALSE(log.cut());
}

std::string refusal(std::string_view text) {
  const auto metrics = metrics_from(as_bytes(text));
  return metrics ? "accepted" : metrics.error().context;
}

TEST(MetricsFile, KeepsWhateverElseItSays) {
  const auto metrics = metrics_from(as_bytes(R"({"validation_metric": 1, "trees": 40, "by": {"a": [1, 2]}})"));
  ASSERT_TRUE(metrics) << metrics.error().context;
  EXPECT_EQ(metrics->validation_metric, 1);
  EXPECT_EQ(metrics->others, (Json{{"trees", 40}, {"by", {{"a", {1, 2}}}}}));
}

TEST(MetricsFile, IsRefusedWithASentence) {
  EXPECT_THAT(refusal(R"({"validation_metric": NaN})"), HasSubstr("NaN or Infinity"));
  EXPECT_THAT(refusal(R"({"validation_metric": null})"), HasSubstr("lacks the number \"validation_metric\""));
  EXPECT_THAT(refusal(R"({"validation_metric": "good"})"), HasSubstr("lacks the number"));
  EXPECT_THAT(refusal(R"({"accuracy": 0.9})"), HasSubstr("lacks the number"));
  EXPECT_THAT(refusal("0.9"), HasSubstr("must be an object"));
  EXPECT_THAT(refusal("{"), HasSubstr("cannot be read"));
  EXPECT_THAT(refusal(""), HasSubstr("cannot be read"));
  EXPECT_THAT(refusal(R"({"validation_metric": 0.9, "x": ")" + std::string(kMetricsBytesMax, 'x') + "\"}"),
              HasSubstr("is longer than 65536 bytes"));
}

}  // namespace
}  // namespace hone::trainer
