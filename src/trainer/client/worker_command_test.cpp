// The worker with jobs that run programs of the user's: real programs, a real disk, and a cloud of one function.
#include <gmock/gmock.h>

#include <chrono>
#include <optional>
#include <set>
#include <string>

#include "platform/sim/sim.hpp"
#include "trainer/client/testing_cloud.hpp"
#include "trainer/client/worker.hpp"
#include "trainer/command/testing_commands.hpp"

namespace hone::trainer {
namespace {

using ::testing::HasSubstr;

constexpr const char* kToml = R"(
[pipeline]
name = "pairs"
[signal]
shape = [8]
dtype = "uint8"
scale = 0.00392156862745098
labels = ["a", "b", "c", "d"]
[train]
recipe = "command"
command = ["train.sh"]
eval = ["eval.sh"]
[gate]
metric = "score"
goal = -0.5
)";

class WorkerCommandTest : public testing::CommandsTest {
 protected:
  WorkerCommandTest() {
    cloud.job.pipeline_toml = kToml;
    config.name = "trainer-1";
    config.work_folder = folder;
    config.commands_folder = host.programs;
  }
  StepResult step() {
    Worker worker(config, {http, *files, clock, keeper,
                           [this](Duration d) {
                             clock.advance(d);
                             return true;
                           },
                           [this] { return stop; }});
    const auto result = worker.step_once();
    EXPECT_TRUE(result) << result.error().context;
    EXPECT_FALSE(std::filesystem::exists(folder + "/command"));  // where it worked
    return result.value_or(StepResult::idle);
  }
  // Of a script that trains: train --data D --out O, so that $5 is where the model goes.
  std::string hand_in() {
    return "cp '" + model_file(cloud.manifest.signal) +
           "' \"$5/model.onnx\" && echo '{\"validation_metric\": 0.75}' > \"$5/metrics.json\"\n";
  }
  // The job: to evaluate two models on a holdout of 40 rows.
  void ask_for_an_evaluation() {
    cloud.manifest.holdout = {cloud.shard_of(testing::four_pairs(30, 3)), cloud.shard_of(testing::four_pairs(10, 4))};
    wire::Shard hidden;  // what trains is not asked for
    hidden.rows = 10;
    cloud.manifest.training = {hidden};
    cloud.job.dataset = wire::hash_of(cloud.manifest);
    cloud.job.kind = wire::JobKind::evaluate;
    cloud.job.candidate = ModelHash{cloud.put(to_bytes("the candidate")).sha256};
    cloud.job.base = ModelHash{cloud.put(to_bytes("the deployed model")).sha256};
  }

  testing::FakeCloud cloud;
  platform::SimRandom random{1};
  platform::SimClock clock{from_unix_ms(1000)};
  platform::SimHttpClient http{[this](const HttpRequest& request) { return cloud.handle(request); }, random};
  LeaseKeeper keeper{http, clock};
  WorkerConfig config;
};

TEST_F(WorkerCommandTest, HandsInWhatACommandTrained) {
  command("train.sh", "echo hello\necho progress 1 epoch 1 metric 0.75\n" + hand_in());
  EXPECT_EQ(step(), StepResult::trained) << cloud.failed_because;
  EXPECT_EQ(cloud.lease_request["commands"], true);
  ASSERT_TRUE(cloud.model);
  EXPECT_EQ(to_string(cloud.blobs[cloud.model->model.hex()]), text_of("good.onnx"));
  EXPECT_EQ(cloud.model->validation_metric, 0.75);
  EXPECT_EQ(cloud.model->lineage["recipe"], "command");
  EXPECT_EQ(cloud.model->lineage["log"], "hello\n");
  EXPECT_EQ(cloud.model->lineage["rows"], 400);  // without a label, too
  ASSERT_FALSE(cloud.points.empty());
  EXPECT_EQ(cloud.points.back().validation_metric, 0.75);
}

TEST_F(WorkerCommandTest, FailsTheJobWithTheReasonOfTheCommand) {
  command("train.sh", "echo 'no memory left'; exit 2");
  EXPECT_EQ(step(), StepResult::failed);
  EXPECT_EQ(cloud.failed_because, "train.sh left with exit status 2; the last it said: no memory left");
  EXPECT_FALSE(cloud.model);
}

TEST_F(WorkerCommandTest, RunsNothingWithoutAFolderOfCommands) {
  config.commands_folder.clear();
  command("train.sh", hand_in());
  EXPECT_EQ(step(), StepResult::failed);
  EXPECT_EQ(cloud.lease_request["commands"], false);
  EXPECT_THAT(cloud.failed_because, HasSubstr("this trainer runs no commands; start it with --commands DIR"));
}

TEST_F(WorkerCommandTest, EndsTheCommandWhenTheLeaseIsLost) {
  cloud.cancel = true;  // says the answer to the first progress
  command("train.sh", "echo progress 0.1\nwhile :; do sleep 1; done");
  EXPECT_EQ(step(), StepResult::lost);
  EXPECT_TRUE(cloud.failed_because.empty());
  EXPECT_FALSE(cloud.model);
}

TEST_F(WorkerCommandTest, EvaluatesBothModelsOnTheHoldoutOnly) {
  ask_for_an_evaluation();
  // The model itself stands for its figures: nobody here looks into them.
  command("eval.sh", "grep -q '\"rows\": 40' \"$3/dataset.json\" || exit 1\nls \"$3\" > '" + folder +
                         "/holdout'\ncat \"$2\" > \"$4\"");
  EXPECT_EQ(step(), StepResult::trained) << cloud.failed_because;
  ASSERT_TRUE(cloud.evaluated);
  EXPECT_EQ(to_string(cloud.blobs[cloud.evaluated->candidate.hex()]), "the candidate");
  EXPECT_EQ(to_string(cloud.blobs[cloud.evaluated->base->hex()]), "the deployed model");
  EXPECT_EQ(text_of("holdout"), "dataset.json\nx-0000.npy\ny-0000.npy\n");
  EXPECT_FALSE(cloud.model);
}

TEST_F(WorkerCommandTest, ATrainingIsNeverGivenTheHoldout) {
  // There is a holdout to be had, and blobs that were fetched for it lie in the cache.
  const auto training = cloud.manifest.training;
  const auto job = cloud.job;
  ask_for_an_evaluation();
  const auto holdout = cloud.manifest.holdout;
  command("eval.sh", "cat \"$2\" > \"$4\"");
  EXPECT_EQ(step(), StepResult::trained) << cloud.failed_because;
  cloud.manifest.training = training;
  cloud.job = job;
  cloud.job.dataset = wire::hash_of(cloud.manifest);
  cloud.leased = false;
  std::set<std::string> asked;
  cloud.refuse = [&](const HttpRequest& request) {
    asked.insert(request.path);
    return false;
  };
  command("train.sh", "cat \"$3/dataset.json\" > '" + folder + "/described'\n" + hand_in());
  EXPECT_EQ(step(), StepResult::trained) << cloud.failed_because;
  EXPECT_EQ(Json::parse(text_of("described"))["rows"], 400);
  EXPECT_TRUE(asked.contains("/v1/blobs/" + training[0].x.hex()));
  for (const wire::Shard& shard : holdout)
    for (const BlobHash& blob : {shard.x, shard.y, shard.t, shard.d})
      EXPECT_FALSE(asked.contains("/v1/blobs/" + blob.hex()));
}

TEST_F(WorkerCommandTest, FailsAnEvaluationWithItsReason) {
  ask_for_an_evaluation();
  command("eval.sh", "echo 'cannot open the model' >&2; exit 1");
  EXPECT_EQ(step(), StepResult::failed);
  EXPECT_EQ(cloud.failed_because, "eval.sh left with exit status 1; the last it said: cannot open the model");
  EXPECT_FALSE(cloud.evaluated);
  cloud.leased = false;
  cloud.job.candidate = ModelHash{sha256(as_bytes("nobody put this"))};
  EXPECT_EQ(step(), StepResult::failed);
  EXPECT_THAT(cloud.failed_because, HasSubstr("no such blob"));
}

}  // namespace
}  // namespace hone::trainer
