// Autoencoders are judged by how much of each holdout row they give back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "cloud/service/service_testing.hpp"
#include "shared/model/run/testing_shrinking_model.hpp"

namespace hone::cloud {
namespace {

using testing::TestDevice;

constexpr const char* kAutoencoderPipeline = R"toml(
[pipeline]
name = "pairs"
[signal]
shape = [2]
dtype = "uint8"
[train]
recipe = "autoencoder"
layers = ["dense 1", "dense 2"]
first_at_samples = 200
when = { new_samples = 300, recipe_changed = true }
cooldown = "0s"
[gate]
metric = "reconstruction"
goal = 0.9
first_goal = 0.1
margin = 0.01
holdout = 0.3
[delivery]
rollout = [100]
)toml";

class Reconstruction : public testing::Cloud {
 protected:
  Reconstruction() {
    write_pipeline(kAutoencoderPipeline);
    signal.labels.clear();
    start();
  }

  Bytes shrinking(float gain) const { return model::testing::onnx_bytes(model::testing::ShrinkingModel{signal, gain}); }

  // `apart_ms` is the time from one row to the next.
  Json judge(TestDevice& device, int rows, const Bytes& onnx, std::int64_t apart_ms = 0) {
    wire::Batch batch = samples(device, rows);
    batch.y.assign(static_cast<std::size_t>(rows), -1);
    for (std::int64_t row = 0; row < rows; ++row) batch.t[static_cast<std::size_t>(row)] += sensed_ms + row * apart_ms;
    sensed_ms += rows * apart_ms;
    const auto response = upload(device, batch);
    EXPECT_EQ(response.status, 200) << to_string(response.body);
    settle();
    const auto job = lease();
    EXPECT_TRUE(job.has_value()) << pipeline().dump(1);
    if (!job) return {};
    complete(job->id, onnx);
    settle();
    return get("/v1/pipelines/pairs/verdicts")["verdicts"][0];
  }

  std::int64_t sensed_ms = 0;
};

TEST_F(Reconstruction, TheModelThatGivesMoreBackIsReleasedAndOneThatGivesLessIsNot) {
  TestDevice device = join();
  const Json first = judge(device, 200, shrinking(0.7F));
  EXPECT_EQ(first["decision"], "promote") << first.dump(1);
  EXPECT_EQ(releases().at(0)["metric"], "reconstruction");

  const Json second = judge(device, 300, shrinking(0.98F));
  EXPECT_EQ(second["decision"], "promote") << second.dump(1);
  EXPECT_GT(second["numbers"]["verdict"]["gain_bounds"]["lower"], 0.01);
  EXPECT_TRUE(releases().at(0)["goal_met"].get<bool>());

  const Json third = judge(device, 300, shrinking(0.5F));
  EXPECT_EQ(third["decision"], "reject") << third.dump(1);
  EXPECT_EQ(releases().size(), 2U);
}

// Windows of two readings a second apart, four of them in a block of time (16 times twice a window's 0.2 s: 6.4 s).
class StreamReconstruction : public Reconstruction {
 protected:
  StreamReconstruction() {
    std::string toml = kAutoencoderPipeline;
    toml.replace(toml.find("shape = [2]"), 11, "shape = [1]\nrate_hz = 10\nstream = { window = 2, stride = 2, cut = \"device\" }");
    write_pipeline(toml);
    start();
  }
};

TEST_F(StreamReconstruction, WindowsOfAStreamAreWeighedByBlocksOfTime) {
  TestDevice device = join();
  EXPECT_EQ(judge(device, 300, shrinking(0.7F), 1600)["decision"], "promote");
  const Json second = judge(device, 600, shrinking(0.98F), 1600);
  EXPECT_EQ(second["decision"], "promote") << second.dump(1);
  const Json& verdict = second["numbers"]["verdict"];
  const auto rows = verdict["measured_rows"].get<double>(), blocks = verdict["blocks"].get<double>();
  EXPECT_NEAR(blocks, 0.3 * 900 / 4, 4);  // three of every ten, and what the ends of the stream add or lack
  EXPECT_NEAR(rows / blocks, 3.5, 0.5);  // the first window of a block may have begun in the one before
  EXPECT_LE(verdict["effective_rows"].get<double>(), blocks);
  EXPECT_THAT(verdict["words"].dump(), ::testing::HasSubstr("blocks of a device's time"));
}

TEST_F(Reconstruction, AModelThatGivesNothingBackInTheRightPlaceIsRejected) {
  TestDevice device = join();
  const Json verdict = judge(device, 200, to_bytes("no model"));
  EXPECT_EQ(verdict["decision"], "reject") << verdict.dump(1);
  EXPECT_TRUE(releases().empty());
}

// Its columns are no scores of labels, though there are as many.
class AnomaliesWhereLabelsAreMeasured : public testing::Cloud {};

TEST_F(AnomaliesWhereLabelsAreMeasured, AreRefusedByAccuracy) {
  start();
  TestDevice device = join();
  send(device, 200);
  settle();
  const auto job = lease();
  ASSERT_TRUE(job.has_value()) << pipeline().dump(1);
  complete(job->id, model::testing::onnx_bytes(model::testing::ShrinkingModel{signal, 1}));
  settle();
  const Json verdict = get("/v1/pipelines/pairs/verdicts")["verdicts"][0];
  EXPECT_EQ(verdict["decision"], "reject") << verdict.dump(1);
  EXPECT_THAT(verdict["reason"].get<std::string>(), ::testing::HasSubstr("scores anomalies and no labels, so 'accuracy' cannot measure it"));
  EXPECT_TRUE(releases().empty());
}

}  // namespace
}  // namespace hone::cloud
