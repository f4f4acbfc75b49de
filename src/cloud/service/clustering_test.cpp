// Pipelines without labels: k-means models judged by their Silhouette, from samples to releases.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cloud/gate/gate.hpp"
#include "cloud/service/service_testing.hpp"
#include "shared/metrics/silhouette.hpp"
#include "shared/model/run/testing_cluster_model.hpp"

namespace hone::cloud {
namespace {

using model::testing::ClusterModel;
using testing::TestDevice;

constexpr const char* kClusterPipeline = R"toml(
[pipeline]
name = "pairs"
[signal]
shape = [2]
dtype = "uint8"
[train]
recipe = "kmeans"
clusters = [2, 4]
first_at_samples = 200
when = { new_samples = 300, recipe_changed = true }
cooldown = "0s"
[gate]
metric = "silhouette"
goal = 0.9
first_goal = 0.4
margin = 0.01
holdout = 0.3
[delivery]
rollout = [100]
)toml";

// Samples come from three heaps: around (40, 40), (200, 40) and (40, 200).
class Clustering : public testing::Cloud {
 protected:
  Clustering() {
    write_pipeline(kClusterPipeline);
    signal.labels.clear();
    start();
  }

  void send_heaps(TestDevice& device, int rows) {
    wire::Batch batch = samples(device, rows);
    batch.y.assign(static_cast<std::size_t>(rows), -1);
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
      const auto bits = random.next();
      batch.x[2 * row] = static_cast<std::uint8_t>((row % 3 == 1 ? 200 : 40) + bits % 21 - 10);
      batch.x[2 * row + 1] = static_cast<std::uint8_t>((row % 3 == 2 ? 200 : 40) + (bits >> 8) % 21 - 10);
    }
    const auto response = upload(device, batch);
    ASSERT_EQ(response.status, 200) << to_string(response.body);
  }

  // In units of 100 around (40, 40).
  ClusterModel clusters(std::vector<float> centroids) const {
    ClusterModel m;
    m.signal = signal;
    m.center = {40, 40};
    m.inverse_spread = {0.01F, 0.01F};
    m.centroids = std::move(centroids);
    return m;
  }
  Bytes two_of_three() const { return onnx_bytes(clusters({0.4F, 0, 0, 1.6F})); }
  Bytes all_three() const { return onnx_bytes(clusters({0, 0, 1.6F, 0, 0, 1.6F})); }

  // Makes its own Silhouette perfect: every value is stretched until it is clipped, so that all samples fall on few
  // points. Its clusters cut the heap at (40, 40) and that at (40, 200) in halves.
  Bytes flattering() const {
    ClusterModel m = clusters({-5, 0, 5, 0});
    m.inverse_spread = {1000, 0};
    m.center = {39.5F, 0};
    return onnx_bytes(m);
  }

  // Trains, with `onnx` as what the trainer hands in, and gives the verdict.
  Json judge(TestDevice& device, int rows, const Bytes& onnx) {
    send_heaps(device, rows);
    settle();
    const auto job = lease();
    EXPECT_TRUE(job.has_value()) << pipeline().dump(1);
    if (!job) return {};
    complete(job->id, onnx);
    settle();
    return get("/v1/pipelines/pairs/verdicts")["verdicts"][0];
  }
};

TEST_F(Clustering, AFirstModelThatReachesTheFirstGoalAndABetterOneAreReleased) {
  TestDevice device = join();
  const Json first = judge(device, 200, two_of_three());
  EXPECT_EQ(first["decision"], "promote") << first.dump(1);
  EXPECT_EQ(first["numbers"]["candidate"]["ruler"], sha256(two_of_three()).hex()) << "it is its own ruler";
  EXPECT_EQ(releases().at(0)["metric"], "silhouette");
  EXPECT_FALSE(releases().at(0)["goal_met"].get<bool>());
  EXPECT_EQ(offer(device, 1)["collect"], "all");

  const Json second = judge(device, 300, all_three());
  EXPECT_EQ(second["decision"], "promote") << second.dump(1);
  EXPECT_EQ(second["numbers"]["candidate"]["ruler"], sha256(two_of_three()).hex()) << "the first release stays it";
  EXPECT_EQ(second["numbers"]["candidate"]["cluster_sizes"].size(), 3U);
  EXPECT_GT(second["numbers"]["verdict"]["gain_bounds"]["lower"], 0.01);
  EXPECT_TRUE(releases().at(0)["goal_met"].get<bool>());
  EXPECT_EQ(offer(device, 2)["collect"], "none") << "devices work alone from here on";
}

TEST_F(Clustering, AFirstModelBelowTheFirstGoalIsHeld) {
  TestDevice device = join();
  // Cuts two of the three heaps in halves.
  const Json verdict = judge(device, 200, onnx_bytes(clusters({-0.5F, 0, 0.5F, 0})));
  EXPECT_EQ(verdict["decision"], "hold") << verdict.dump(1);
  EXPECT_TRUE(releases().empty());
}

TEST_F(Clustering, ACandidateIsNotMeasuredByItsOwnRuler) {
  // In its own features it is perfect ...
  const std::vector<float> own{-5, 0, 5, 0, -5, 0, 5, 0};
  const auto flattered = metrics::silhouette(metrics::Matrix<float>{own, 4, 2}, std::vector<std::int32_t>{0, 1, 0, 1});
  EXPECT_EQ(flattered->mean, 1);
  const auto runner = runtime->load(flattering(), signal, "features").value();
  std::vector<float> answers(6), features(4);
  ASSERT_TRUE(runner->run(Bytes{35, 44, 46, 40}, 2, answers, features));
  EXPECT_EQ(features, (std::vector<float>{-5, 0, 5, 0}));
  // ... and in those of the first release it is not.
  TestDevice device = join();
  EXPECT_EQ(judge(device, 200, two_of_three())["decision"], "promote");
  const Json verdict = judge(device, 300, flattering());
  EXPECT_EQ(verdict["decision"], "reject") << verdict.dump(1);
  EXPECT_LT(verdict["numbers"]["candidate"]["metric"], 0.5);
  EXPECT_EQ(releases().size(), 1U);
}

TEST_F(Clustering, ADegenerateClusteringIsRejectedEvenAsAFirstModel) {
  TestDevice device = join();
  const Json verdict = judge(device, 200, onnx_bytes(clusters({0.5F, 0.5F, 5, 5})));
  EXPECT_EQ(verdict["decision"], "reject");
  EXPECT_NE(verdict["reason"].get<std::string>().find("fall into one cluster"), std::string::npos) << verdict.dump(1);
  EXPECT_TRUE(releases().empty());
}

TEST_F(Clustering, AModelThatGivesNoClustersIsRejected) {
  TestDevice device = join();
  ClusterModel silent = clusters({0, 0, 1.6F, 0});
  silent.tells_features = false;
  const Json verdict = judge(device, 200, onnx_bytes(silent));
  EXPECT_EQ(verdict["decision"], "reject");
  EXPECT_NE(verdict["reason"].get<std::string>().find("no second output 'features'"), std::string::npos);
  EXPECT_EQ(judge(device, 300, model(0))["decision"], "reject") << "a classifier is none";
  EXPECT_TRUE(releases().empty());
}

TEST_F(Clustering, AVerdictReplaysFromWhatIsStored) {
  std::string edited = kClusterPipeline;
  edited.replace(edited.find("clusters = [2, 4]"), 17, "clusters = [2, 4]\nsilhouette_rows = 100");
  write_pipeline(edited);
  start();
  TestDevice device = join();
  EXPECT_EQ(judge(device, 600, two_of_three())["decision"], "promote");
  const Json numbers = judge(device, 600, all_three())["numbers"];
  EXPECT_EQ(numbers["candidate"]["measured_rows"], 100) << "drawn, as the pipeline says";
  EXPECT_GT(numbers["candidate"]["rows"], 250);
  const std::string rows = numbers["deployed"]["rows"]["sha256"];
  const auto npy = call("GET", "/v1/blobs/" + rows, trainer());
  ASSERT_EQ(npy.status, 200);
  const auto record = gate_record_from(numbers, npy.body);
  ASSERT_TRUE(record) << record.error().context;
  const Json replayed = to_json(decide(record->policy, record->deployed, record->candidate));
  EXPECT_EQ(replayed, numbers["verdict"]);
}

TEST_F(Clustering, AReleaseUnderAnotherMetricIsNoHurdle) {
  write_pipeline(testing::kPipeline);
  signal.labels = {"first", "second"};
  start();
  TestDevice device = learn_first_model();
  std::string edited = kClusterPipeline;
  edited.replace(edited.find("dtype = \"uint8\""), 15, "dtype = \"uint8\"\nlabels = [\"first\", \"second\"]");
  write_pipeline(edited);
  start();
  settle();
  const auto job = lease();
  ASSERT_TRUE(job.has_value()) << pipeline().dump(1);
  // Uniform bytes have no heaps; halves will do.
  complete(job->id, onnx_bytes(clusters({0, 0.9F, 1.6F, 0.9F})));
  settle();
  const Json verdict = get("/v1/pipelines/pairs/verdicts")["verdicts"][0];
  EXPECT_TRUE(verdict["numbers"]["verdict"]["first"].get<bool>()) << verdict.dump(1);
  EXPECT_NE(verdict["numbers"]["not_compared"].get<std::string>().find("features"), std::string::npos);
  EXPECT_EQ(verdict["numbers"]["candidate"]["ruler"], sha256(onnx_bytes(clusters({0, 0.9F, 1.6F, 0.9F}))).hex());
}

}  // namespace
}  // namespace hone::cloud
