#include "shared/wire/job_log.hpp"

#include <gtest/gtest.h>

namespace hone::wire {
namespace {

Json heartbeat_with(Json lines) { return {{"progress", 0.5}, {"epoch", 1}, {"log", std::move(lines)}}; }

TEST(JobLog, SurvivesTheWire) {
  const LogLine line{7, from_unix_ms(1234), "info: epoch 1 of 4"};
  const auto lines = log_lines_from(heartbeat_with({to_json(line)}));
  ASSERT_TRUE(lines) << lines.error().context;
  EXPECT_EQ(*lines, std::vector<LogLine>{line});
}

TEST(JobLog, IsOptional) { EXPECT_TRUE(log_lines_from({{"progress", 0.5}})->empty()); }

TEST(JobLog, HoldsOneLineOfPrintableText) {
  EXPECT_EQ(log_text("two\nlines\x1b[2J\n"), "two lines [2J");
  EXPECT_EQ(log_text(std::string(5000, 'a')).size(), kLogTextBytesMax);
  EXPECT_EQ(log_lines_from(heartbeat_with({{{"number", 1}, {"at", 1}, {"text", "\x1b[2J"}}}))->front().text, " [2J");
}

TEST(JobLog, IsBounded) {
  const Json line = to_json(LogLine{1, from_unix_ms(1), "a"});
  EXPECT_TRUE(log_lines_from(heartbeat_with(std::vector<Json>(kLogLinesMax, line))));
  EXPECT_FALSE(log_lines_from(heartbeat_with(std::vector<Json>(kLogLinesMax + 1, line))));
  EXPECT_FALSE(log_lines_from(heartbeat_with({{{"number", 1}, {"at", 1}, {"text", std::string(513, 'a')}}})));
  EXPECT_FALSE(log_lines_from(heartbeat_with({{{"number", 0}, {"at", 1}, {"text", "a"}}})));
  EXPECT_FALSE(log_lines_from(heartbeat_with({{{"at", 1}, {"text", "a"}}})));
  EXPECT_FALSE(log_lines_from(heartbeat_with("a")));
}

}  // namespace
}  // namespace hone::wire
