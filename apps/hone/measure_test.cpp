#include "measure.hpp"

#include <gtest/gtest.h>

#include "shared/model/run/testing_cluster_model.hpp"
#include "shared/model/run/testing_model.hpp"
#include "shared/model/run/testing_shrinking_model.hpp"

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
    return measure(metric, **runner, linear_.signal, samples, 0, {});
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

TEST_F(MeasureTest, SilhouetteNeedsNoLabelsAndAucRanksAnomalies) {
  model::testing::ClusterModel clusters;
  clusters.signal = linear_.signal;
  clusters.signal.labels.clear();
  clusters.center = {0, 0};
  clusters.inverse_spread = {1, 1};
  clusters.clip = 300;
  clusters.centroids = {0, 0, 100, 0};
  const auto runtime = model::make_onnx_runtime();
  const auto onnx = model::testing::onnx_bytes(clusters);
  EXPECT_EQ((*runtime)->signal_of(onnx)->shape, clusters.signal.shape);
  EXPECT_EQ((*runtime)->signal_of(onnx)->dtype, wire::DType::uint8);
  EXPECT_EQ((*runtime)->signal_of(to_bytes("no model")).error().code, Code::damaged);
  const auto runner = (*runtime)->load(onnx, clusters.signal, further_output_for("silhouette"));
  ASSERT_TRUE(runner) << runner.error().context;
  EXPECT_EQ(metric_of(**runner), "silhouette");
  const samples::Samples heaps{{0, 0, 1, 0, 100, 0, 101, 0}, {-1, -1, -1, -1}, "x"};
  const auto silhouette = measure("silhouette", **runner, clusters.signal, heaps, 0, {});
  ASSERT_TRUE(silhouette) << silhouette.error().context;
  EXPECT_NEAR(silhouette->at("value").get<double>(), 0.99, 0.001);
  EXPECT_EQ(silhouette->at("clusters").size(), 2U);
  EXPECT_EQ(measure("auc", **runner, clusters.signal, {{0, 0, 9, 9, 100, 0}, {0, 1, 0}, "x"}, 0, {})->at("value"), 1.0);
  refused("silhouette", four_, "needs a k-means model");
}

// Two heaps of a hundred rows each.
TEST_F(MeasureTest, SilhouetteOfManyRowsIsEstimatedWithAnInterval) {
  model::testing::ClusterModel clusters;
  clusters.signal = linear_.signal;
  clusters.signal.labels.clear();
  clusters.center = {0, 0};
  clusters.inverse_spread = {1, 1};
  clusters.clip = 300;
  clusters.centroids = {10, 0, 100, 0};
  samples::Samples heaps{{}, std::vector<std::int64_t>(200, -1), "x"};
  for (int row = 0; row < 200; ++row) {
    heaps.x.push_back(static_cast<std::uint8_t>((row % 2 == 0 ? 0 : 90) + row % 21));
    heaps.x.push_back(0);
  }
  const auto runtime = model::make_onnx_runtime();
  const auto runner = (*runtime)->load(model::testing::onnx_bytes(clusters), clusters.signal, "features");
  ASSERT_TRUE(runner) << runner.error().context;
  const auto exact = measure("silhouette", **runner, clusters.signal, heaps, 200, {});
  const auto estimate = measure("silhouette", **runner, clusters.signal, heaps, 80, {});
  ASSERT_TRUE(exact && estimate);
  EXPECT_FALSE(exact->contains("silhouette_bounds"));
  EXPECT_EQ(estimate->at("rows"), 200);
  EXPECT_EQ(estimate->at("rows_measured"), 80);
  EXPECT_EQ(estimate->at("clusters").at(1).at("rows"), 100);
  const double lower = estimate->at("silhouette_bounds").at(0), upper = estimate->at("silhouette_bounds").at(1);
  EXPECT_LT(lower, upper);
  EXPECT_NEAR(exact->at("value").get<double>(), (lower + upper) / 2, upper - lower);
}

class MeasureAutoencoderTest : public MeasureTest {
 protected:
  MeasureAutoencoderTest() { signal_.labels.clear(); }
  Result<Json> shrunk(const std::string& metric, float gain) {
    const auto runtime = model::make_onnx_runtime();
    const auto onnx = model::testing::onnx_bytes(model::testing::ShrinkingModel{signal_, gain});
    const auto runner = (*runtime)->load(onnx, signal_, further_output_for(metric));
    if (!runner) return fail(runner.error());
    EXPECT_EQ(metric_of(**runner), "reconstruction");
    return measure(metric, **runner, signal_, {{0, 10, 10, 10, 20, 10, 30, 10, 40, 10}, {-1, -1, -1, -1, -1}, "x"}, 0, {});
  }
  wire::Signal signal_ = linear_.signal;
};

TEST_F(MeasureAutoencoderTest, ReconstructionNeedsNoLabels) {
  EXPECT_EQ(shrunk("reconstruction", 1)->at("value"), 1.0);
  const auto result = shrunk("reconstruction", 0.9F);
  ASSERT_TRUE(result) << result.error().context;
  EXPECT_EQ(result->at("rows"), 5);
  // Missed are 0 to 4 of the first element, whose spread is 15 (the ranks are whole: from 0 to 30), and 1 of the second's 1.
  EXPECT_NEAR(result->at("value").get<double>(), 1 - (30.0 / 225 / 5 + 1) / 2, 1e-5);
}

TEST_F(MeasureAutoencoderTest, ItsColumnsAreNoScoresOfLabels) {
  for (const std::string metric : {"accuracy", "f1"}) {
    const auto result = shrunk(metric, 1);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::invalid);
    EXPECT_EQ(result.error().context.rfind(metric + " compares scores of labels, and this model scores anomalies", 0), 0U) << result.error().context;
  }
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
