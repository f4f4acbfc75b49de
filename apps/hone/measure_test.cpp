#include "measure.hpp"

#include <gtest/gtest.h>

#include "shared/model/run/testing_model.hpp"

namespace hone::app {
namespace {

// Says how much of each byte there is: the larger one is the label.
class MeasureTest : public ::testing::Test {
 protected:
  MeasureTest() {
    linear_.signal.shape = {2};
    linear_.signal.dtype = wire::DType::uint8;
    linear_.signal.labels = {"left", "right"};
    linear_.weights = {1, 0, 0, 1};
    linear_.bias = {0, 0};
  }
  Result<Json> run(const std::string& metric, const samples::Samples& samples) {
    const auto runtime = model::make_onnx_runtime();
    if (!runtime) return fail(runtime.error());
    const auto runner = (*runtime)->load(model::testing::onnx_bytes(linear_), linear_.signal);
    if (!runner) return fail(runner.error());
    return measure(metric, **runner, linear_.signal, samples, {});
  }
  void refused(const std::string& metric, const samples::Samples& samples, std::string_view part) {
    const auto result = run(metric, samples);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::invalid);
    EXPECT_NE(result.error().context.find(part), std::string::npos) << result.error().context;
  }
  model::testing::LinearModel linear_;
  samples::Samples four_{{9, 1, 2, 5, 7, 3, 1, 2, 0, 0}, {0, 1, 1, 1, -1}, "data/x.npy"};
};

TEST_F(MeasureTest, AccuracyCountsRowsWithALabel) {
  const auto result = run("accuracy", four_);
  ASSERT_TRUE(result) << result.error().context;
  EXPECT_EQ(result->at("value"), 0.75);
  EXPECT_EQ(result->at("rows"), 4);
  EXPECT_EQ(result->at("right"), 3);
  EXPECT_EQ(result->at("labels"), (Json{{{"label", "left"}, {"rows", 1}, {"right", 1}}, {{"label", "right"}, {"rows", 3}, {"right", 2}}}));
}

TEST_F(MeasureTest, F1IsOfTheSecondOfTwoLabels) {
  const auto result = run("f1", four_);
  ASSERT_TRUE(result) << result.error().context;
  EXPECT_DOUBLE_EQ(result->at("value").get<double>(), 2 * 2.0 / (2 * 2 + 0 + 1));
}

TEST_F(MeasureTest, AucRanksTheSecondLabelAgainstTheFirst) {
  // Scores of label 1 less those of label 0: -8 (0), 3 (1), -4 (1), 1 (1).
  EXPECT_EQ(run("auc", four_)->at("value"), 1.0);
  EXPECT_EQ(run("auc", {{9, 1, 1, 9, 5, 5}, {0, 1, 0}, "x"})->at("value"), 1.0);
  EXPECT_EQ(run("auc", {{1, 9, 9, 1, 5, 5}, {0, 1, 0}, "x"})->at("value"), 0.0);
  linear_.signal.labels.clear();  // a score of its own: higher is stranger
  linear_.weights = {1, 0};
  linear_.bias = {0};
  EXPECT_EQ(run("auc", {{1, 0, 9, 0, 5, 0}, {0, 1, 0}, "x"})->at("value"), 1.0);
}

TEST_F(MeasureTest, SaysWhatDoesNotFit) {
  refused("accuracy", {{1, 2}, {-1}, "data/x.npy"}, "data/x.npy: no row has a label");
  refused("auc", {{1, 2}, {1}, "x"}, "0, 1 and 0 others");
  linear_.signal.labels.clear();
  refused("accuracy", {{1, 2}, {2}, "x"}, "label 2");
  linear_.weights = {1, 0, 0, 0, 1, 0};
  linear_.bias = {0, 0, 0};
  refused("auc", four_, "3 scores");
}

}  // namespace
}  // namespace hone::app
