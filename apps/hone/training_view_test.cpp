#include "training_view.hpp"

#include <gtest/gtest.h>

#include "columns.hpp"

namespace hone::app {
namespace {

Json point(double progress, int epoch, double loss, double metric, int attempt = 1) {
  return {{"progress", progress}, {"epoch", epoch}, {"loss", loss}, {"validation_metric", metric}, {"attempt", attempt}};
}

TEST(TrainingView, ShowsBarFiguresAndBothCurves) {
  Json points = Json::array();
  for (int i = 0; i <= 8; ++i) points.push_back(point(i / 8.0, i / 2, 2.0 / (i + 1), i < 4 ? 0 : 0.5 + i / 20.0));
  const auto lines = training_lines("job-3", "leased", points, 100, 4, {false});
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[0], "job-3  leased [########################################] 100%  epoch 4  loss 0.2222  metric 0.9000");
  EXPECT_NE(lines[1].find("loss  2.0000 |*"), std::string::npos) << lines[1];
  EXPECT_NE(lines[1].find("metric  0.9000 |"), std::string::npos) << lines[1];
  EXPECT_NE(lines[4].find("0.7000"), std::string::npos) << lines[4];  // what came before the first figure is not drawn
}

TEST(TrainingView, ShowsTheLastAttemptOnly) {
  const Json points = {point(0.5, 1, 9, 0, 1), point(0.9, 2, 8, 0, 1), point(0.1, 0, 2, 0, 2), point(0.2, 0, 1, 0, 2)};
  const auto lines = training_lines("job-3", "leased", points, 60, 2, {false});
  EXPECT_NE(lines[0].find(" 20%"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find("2.0000"), std::string::npos) << lines[1];
}

TEST(TrainingView, NarrowTerminalsGetWhatFits) {
  Json points = Json::array();
  for (int i = 0; i <= 8; ++i) points.push_back(point(i / 8.0, i, 1.0 / (i + 1), i / 10.0));
  for (std::size_t columns = 1; columns < 130; ++columns)
    for (const auto& line : training_lines("job-3", "leased", points, columns, 3, {true})) EXPECT_LE(columns_of(line), columns);
}

TEST(TrainingView, WithoutPointsThereIsOneLine) {
  EXPECT_EQ(training_lines("job-3", "queued", Json::array(), 80, 4, {true}), std::vector<std::string>{"job-3  queued"});
}

TEST(TrainingView, ALossThatIsNoNumberIsLeftOut) {
  const Json points = {{{"progress", 0.5}, {"epoch", 1}, {"loss", nullptr}, {"validation_metric", nullptr}}};
  EXPECT_NE(training_lines("job-3", "leased", points, 80, 4, {false})[0].find("50%  epoch 1"), std::string::npos);
}

}  // namespace
}  // namespace hone::app
