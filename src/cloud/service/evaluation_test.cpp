// The metric `score`: a trainer measures candidate and deployed model row by row, the gate pairs the figures.
#include <gmock/gmock.h>

#include <cmath>
#include <vector>

#include "cloud/service/service_testing.hpp"
#include "shared/wire/npy.hpp"

namespace hone::cloud {
namespace {

using ::testing::HasSubstr;
using testing::TestDevice;

constexpr const char* kScorePipeline = R"toml(
[pipeline]
name = "pairs"
[signal]
shape = [2]
dtype = "uint8"
labels = ["first", "second"]
[train]
recipe = "command"
command = ["train.py"]
eval = ["score.py"]
first_at_samples = 200
when = { new_samples = 300 }
cooldown = "0s"
[gate]
metric = "score"
goal = -1.5
first_goal = -10
margin = 0.1
holdout = 0.3
no_slice_worse_than = 1
[delivery]
rollout = [100]
)toml";

class EvaluationTest : public testing::Cloud {
 protected:
  EvaluationTest() {
    write_pipeline(kScorePipeline);
    start();
    device = join();
  }

  std::optional<wire::Job> lease_with_commands(const std::string& name = "t") {
    const auto response =
        call("POST", "/v1/jobs/lease", trainer(), dump_bytes({{"trainer", name}, {"commands", true}}));
    if (response.status == 204) return std::nullopt;
    return wire::job_from(json(response)).value();
  }
  // New samples, and a model from them: what is then to be evaluated.
  std::optional<wire::Job> train(int samples, float bias) {
    send(device, samples);
    settle();
    const auto job = lease_with_commands();
    EXPECT_TRUE(job && job->kind == wire::JobKind::train) << pipeline().dump(1);
    if (!job) return std::nullopt;
    complete(job->id, model(bias));
    settle();
    return lease_with_commands();
  }
  std::size_t holdout_rows(const wire::Job& job) {
    const auto response = call("GET", "/v1/datasets/" + job.dataset.hex(), trainer());
    return static_cast<std::size_t>(wire::dataset_manifest_from(response.body)->holdout_rows());
  }
  BlobHash put(const Bytes& file) {
    const BlobHash hash{sha256(file)};
    EXPECT_EQ(call("PUT", "/v1/blobs/" + hash.hex(), trainer(), file).status, 200);
    return hash;
  }
  // Figures around `mean` that differ from row to row.
  BlobHash figures(std::size_t rows, double mean) {
    std::vector<double> values;
    for (std::size_t row = 0; row < rows; ++row) values.push_back(mean + 0.05 * std::sin(static_cast<double>(row)));
    return figures_of(values);
  }
  BlobHash figures_of(const std::vector<double>& values) {
    Bytes file = wire::npy_header("<f8", {static_cast<std::int64_t>(values.size())});
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(values.data());
    file.insert(file.end(), bytes, bytes + values.size() * sizeof(double));
    return put(file);
  }
  int hand_in(const wire::Job& job, const BlobHash& candidate, const std::optional<BlobHash>& base = std::nullopt) {
    wire::EvaluatedModels message{candidate, base, 0.5};
    return call("POST", "/v1/jobs/" + job.id.value + "/figures", trainer(), dump_bytes(wire::to_json(message))).status;
  }
  void release_first_model() {
    const auto evaluation = train(200, 100);
    ASSERT_TRUE(evaluation);
    ASSERT_EQ(hand_in(*evaluation, figures(holdout_rows(*evaluation), -3)), 200);
    settle();
    ASSERT_EQ(releases().size(), 1U) << verdict().dump(1);
  }
  Json verdict() { return get("/v1/pipelines/pairs/verdicts")["verdicts"][0]; }
  Json newest_job() { return get("/v1/jobs?pipeline=pairs")["jobs"][0]; }

  TestDevice device;
};

TEST_F(EvaluationTest, AFirstModelIsJudgedByWhatATrainerMeasured) {
  const auto evaluation = train(200, 100);
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(evaluation->kind, wire::JobKind::evaluate);
  EXPECT_EQ(evaluation->candidate->sha256, sha256(model(100)));
  EXPECT_FALSE(evaluation->base);
  EXPECT_EQ(newest_job()["kind"], "evaluate");
  EXPECT_TRUE(get("/v1/pipelines/pairs/verdicts")["verdicts"].empty()) << "nobody has measured it yet";
  ASSERT_EQ(hand_in(*evaluation, figures(holdout_rows(*evaluation), -3)), 200);
  settle();
  ASSERT_EQ(releases().size(), 1U) << verdict().dump(1);
  EXPECT_EQ(releases()[0]["metric"], "score");
  EXPECT_NEAR(releases()[0]["value"].get<double>(), -3, 0.05);
  EXPECT_FALSE(releases()[0]["goal_met"]);
}

TEST_F(EvaluationTest, ABetterModelIsPromotedAndAWorseOneNot) {
  release_first_model();
  auto evaluation = train(300, 50);
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(releases()[0]["model"], evaluation->base->hex());
  std::size_t rows = holdout_rows(*evaluation);
  ASSERT_EQ(hand_in(*evaluation, figures(rows, -3.5), figures(rows, -3)), 200);
  settle();
  EXPECT_EQ(verdict()["decision"], "reject") << verdict().dump(1);
  EXPECT_EQ(releases().size(), 1U);

  evaluation = train(300, 0);
  rows = holdout_rows(*evaluation);
  std::vector<double> better(rows), worse(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    worse[row] = -3 + 0.3 * std::sin(static_cast<double>(row));
    better[row] = worse[row] + 2 + 0.1 * std::cos(static_cast<double>(7 * row));
  }
  ASSERT_EQ(hand_in(*evaluation, figures_of(better), figures_of(worse)), 200);
  settle();
  EXPECT_EQ(verdict()["decision"], "promote") << verdict().dump(1);
  ASSERT_EQ(releases().size(), 2U);
  EXPECT_TRUE(releases()[0]["goal_met"]);
}

TEST_F(EvaluationTest, FiguresThatAreNoneRejectTheCandidateAndTheDeployedModelStays) {
  release_first_model();
  auto evaluation = train(300, 50);
  std::size_t rows = holdout_rows(*evaluation);
  std::vector<double> broken(rows, -2);
  broken[3] = std::nan("");
  ASSERT_EQ(hand_in(*evaluation, figures_of(broken), figures(rows, -3)), 200);
  settle();
  EXPECT_EQ(verdict()["decision"], "reject");
  EXPECT_THAT(verdict()["reason"].get<std::string>(), HasSubstr("the figure of holdout row 3 is NaN or infinite"));

  evaluation = train(300, 40);
  rows = holdout_rows(*evaluation);
  ASSERT_EQ(hand_in(*evaluation, figures(rows - 1, -1), figures(rows, -3)), 200);
  settle();
  EXPECT_EQ(verdict()["decision"], "reject");
  EXPECT_THAT(verdict()["reason"].get<std::string>(),
              HasSubstr("figures for " + std::to_string(rows) + " holdout rows"));

  evaluation = train(300, 30);
  rows = holdout_rows(*evaluation);
  ASSERT_EQ(hand_in(*evaluation, figures(rows, -1), put(to_bytes("no figures"))), 200);
  settle();
  EXPECT_EQ(verdict()["decision"], "reject");
  EXPECT_THAT(verdict()["reason"].get<std::string>(), HasSubstr("of the deployed model"));
  EXPECT_EQ(releases().size(), 1U);
}

TEST_F(EvaluationTest, IsTakenOverWhenItsTrainerDiesAndHeldWhenItFails) {
  release_first_model();
  auto evaluation = train(300, 50);
  clock.advance(std::chrono::seconds(16));
  const auto second = lease_with_commands("u");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->candidate, evaluation->candidate);
  EXPECT_EQ(second->id.value, evaluation->id.value + "-2");
  for (std::optional<wire::Job> job = second; job; job = lease_with_commands("u"))
    ASSERT_EQ(call("POST", "/v1/jobs/" + job->id.value + "/fail", trainer(),
                   dump_bytes({{"reason", "score.py left with exit status 1"}}))
                  .status,
              200);
  settle();
  EXPECT_EQ(verdict()["decision"], "hold");
  EXPECT_THAT(verdict()["reason"].get<std::string>(), HasSubstr("score.py left with exit status 1"));
  EXPECT_EQ(releases().size(), 1U);
  ASSERT_TRUE(train(300, 0)) << "and the loop goes on";
}

TEST_F(EvaluationTest, IsDoneAgainWhenTheDeployedModelChanged) {
  release_first_model();
  auto evaluation = train(300, 0);
  std::size_t rows = holdout_rows(*evaluation);
  ASSERT_EQ(hand_in(*evaluation, figures(rows, -1), figures(rows, -3)), 200);
  settle();
  ASSERT_EQ(releases().size(), 2U) << verdict().dump(1);
  evaluation = train(300, 60);
  rows = holdout_rows(*evaluation);
  ASSERT_EQ(call("POST", "/v1/pipelines/pairs/rollback", admin(), dump_bytes({{"to", 1}})).status, 200);
  settle();
  ASSERT_EQ(hand_in(*evaluation, figures(rows, -1), figures(rows, -1)), 200);
  settle();
  const auto again = lease_with_commands();
  ASSERT_TRUE(again) << newest_job().dump(1);
  EXPECT_EQ(again->candidate, evaluation->candidate);
  EXPECT_EQ(again->base->sha256, sha256(model(100)));
  ASSERT_EQ(hand_in(*again, figures(rows, -1), figures(rows, -3)), 200);
  settle();
  EXPECT_EQ(verdict()["decision"], "promote") << verdict().dump(1);
}

TEST_F(EvaluationTest, OnlyTrainersThatRunCommandsGetSuchJobs) {
  send(device, 200);
  settle();
  EXPECT_FALSE(lease());
  EXPECT_THAT(newest_job()["waits_for"].get<std::string>(), HasSubstr("--commands"));
  const auto training = lease_with_commands();
  ASSERT_TRUE(training);
  EXPECT_TRUE(newest_job()["waits_for"].is_null());
  complete(training->id, model(0));
  settle();
  EXPECT_FALSE(lease());
  const auto evaluation = lease_with_commands();
  ASSERT_TRUE(evaluation);

  // Neither job can be ended by the other's call.
  EXPECT_EQ(hand_in(*training, figures(3, 0)), 404);
  EXPECT_EQ(hand_in(*evaluation, BlobHash{sha256(as_bytes("never uploaded"))}), 400);
  EXPECT_EQ(hand_in(*evaluation, figures(3, 0), figures(3, 0)), 400) << "there is no deployed model";
  complete(evaluation->id, model(0));
  EXPECT_EQ(newest_job()["state"], "leased");
}

}  // namespace
}  // namespace hone::cloud
