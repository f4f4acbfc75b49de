// The recipe `command` with real programs: what they are given, what is taken from them, and what is said when
// something goes wrong.
#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <vector>

#include "base/hash.hpp"
#include "trainer/command/evaluate.hpp"
#include "trainer/command/snapshot.hpp"
#include "trainer/command/testing_commands.hpp"
#include "trainer/recipe.hpp"
#include "trainer/testing_rows.hpp"

namespace hone::trainer {
namespace {

using testing::four_pairs;
using ::testing::HasSubstr;
using ::testing::Not;

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
command = ["train.sh", "--deep", "two words"]
eval = ["eval.sh", "--strict"]
timeout = "20s"
[gate]
metric = "accuracy"
goal = 0.9
)";

class CommandRecipe : public testing::CommandsTest {
 protected:
  CommandRecipe() {
    pipeline = parse_pipeline(kToml, "pairs.toml").value();
    job.id = JobId("job-1");
    job.pipeline = pipeline.name;
    job.dataset = DatasetHash{sha256(as_bytes("dataset"))};
    job.seed = 77;
    rows = four_pairs(300, 1);
    rows.y[0] = -1;
  }

  Result<RecipeOutput> train() { return train_command({job, pipeline, rows, base, progress, &host}); }
  std::string refusal() {
    const auto output = train();
    EXPECT_TRUE(scratch_is_gone());
    return output ? "accepted" : std::string(name_of(output.error().code)) + ": " + output.error().context;
  }
  // Of a script: hands in a good model.
  std::string hand_in(const std::string& metrics = R"({"validation_metric": 0.9, "trees": 4})") {
    return "out=$(echo \"$@\" | sed 's/.*--out \\([^ ]*\\).*/\\1/')\ncp '" + model_file(pipeline.signal) +
           "' \"$out/model.onnx\"\necho '" + metrics + "' > \"$out/metrics.json\"\n";
  }

  Pipeline pipeline;
  wire::Job job;
  Rows rows;
  std::optional<Bytes> base;
  std::vector<wire::ProgressPoint> points;
  OnProgress progress = [this](const wire::ProgressPoint& point) {
    points.push_back(point);
    return false;
  };
};

TEST_F(CommandRecipe, TakesTheModelAndWhatIsSaidOfIt) {
  command("train.sh", "echo starting\necho progress 0.5 epoch 1 loss 0.7 metric 0.8\necho careful >&2\n" + hand_in());
  const auto output = train();
  ASSERT_TRUE(output) << output.error().context;
  EXPECT_EQ(to_string(output->onnx), text_of("good.onnx"));
  EXPECT_EQ(output->validation_metric, 0.9);
  EXPECT_EQ(output->lineage["metrics"], (Json{{"trees", 4}}));
  EXPECT_EQ(output->lineage["log"], "starting\ncareful\n");
  EXPECT_EQ(output->lineage["command"], (Json{"train.sh", "--deep", "two words"}));
  EXPECT_EQ(output->lineage["curve"][0]["validation_metric"], 0.8);
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].progress, 0.5);
  EXPECT_TRUE(scratch_is_gone());
}

TEST_F(CommandRecipe, GivesArgumentsDataAndThePreviousModel) {
  base = to_bytes("the deployed model");
  command("train.sh", "for a; do echo \"[$a]\"; done > '" + folder + "/arguments'\ncat \"$5/dataset.json\" > '" +
                          folder + "/described'\ncat \"$5/x-0000.npy\" > '" + folder + "/x'\ncat previous.onnx > '" +
                          folder + "/previous'\npwd > '" + folder + "/pwd'\n" + hand_in());
  ASSERT_TRUE(train()) << refusal();
  const std::string scratch = text_of("pwd").substr(0, text_of("pwd").size() - 1);
  EXPECT_EQ(text_of("arguments"), "[--deep]\n[two words]\n[train]\n[--data]\n[" + scratch + "/data]\n[--out]\n[" +
                                      scratch + "/out]\n[--seed]\n[77]\n[--previous]\n[" + scratch +
                                      "/previous.onnx]\n");
  EXPECT_EQ(text_of("previous"), "the deployed model");
  const Json described = Json::parse(text_of("described"));
  EXPECT_EQ(described["rows"], 300);
  EXPECT_EQ(described["signal"], wire::to_json(pipeline.signal));
  EXPECT_EQ(described["shards"], (Json{{{"rows", 300}, {"x", "x-0000.npy"}, {"y", "y-0000.npy"}}}));
  EXPECT_TRUE(text_of("x").ends_with(to_string(rows.x)));
}

TEST_F(CommandRecipe, CutsTheDataIntoShards) {
  ASSERT_TRUE(write_snapshot(*files, folder + "/data", pipeline.name, job.dataset, rows, 8 * 128));
  const Json described = Json::parse(text_of("data/dataset.json"));
  ASSERT_EQ(described["shards"].size(), 3u);
  EXPECT_EQ(described["shards"][2]["rows"], 44);
  std::string x;
  for (const Json& shard : described["shards"]) x += text_of("data/" + shard["x"].get<std::string>()).substr(128);
  EXPECT_EQ(x, to_string(rows.x));
}

TEST_F(CommandRecipe, KeepsSecretsFromTheCommand) {
  ::setenv("HONE_TEST_TOKEN", "secret", 1);
  command("train.sh", "env > '" + folder + "/env'\n" + hand_in());
  ASSERT_TRUE(train()) << refusal();
  EXPECT_THAT(text_of("env"), Not(HasSubstr("secret")));
  EXPECT_THAT(text_of("env"), HasSubstr("PATH="));
  EXPECT_THAT(text_of("env"), HasSubstr("HOME=" + folder + "/scratch\n"));
}

TEST_F(CommandRecipe, RunsOnlyWhatLiesInTheFolderOfCommands) {
  EXPECT_THAT(refusal(), HasSubstr("invalid: the command 'train.sh' is not in " + folder + "/commands"));
  for (const char* name : {"/bin/sh", "../train.sh", ".hidden", "-c", "a b", ""}) {
    pipeline.train.command.train = {name};
    EXPECT_THAT(refusal(), HasSubstr("is no plain file name")) << name;
  }
  pipeline.train.command.train = {"sh"};  // in PATH, but that does not count
  EXPECT_THAT(refusal(), HasSubstr("the command 'sh' is not in"));
  command("weak.sh", "exit 0");
  std::filesystem::permissions(folder + "/commands/weak.sh", std::filesystem::perms::none);
  pipeline.train.command.train = {"weak.sh"};
  if (::access((folder + "/commands/weak.sh").c_str(), X_OK) != 0) {  // root may
    EXPECT_THAT(refusal(), HasSubstr("may not be executed"));
  }
  host.programs.clear();
  EXPECT_THAT(refusal(), HasSubstr("this trainer runs no commands; start it with --commands DIR"));
}

TEST_F(CommandRecipe, SaysHowACommandFailed) {
  command("train.sh", "echo almost\necho 'ValueError: no rows' >&2\nexit 3");
  EXPECT_EQ(refusal(), "invalid: train.sh left with exit status 3; the last it said: ValueError: no rows");
  command("train.sh", "kill -SEGV $$");
  EXPECT_EQ(refusal(), "invalid: train.sh was ended by signal 11 (Segmentation fault)");
  std::ofstream(folder + "/commands/train.sh") << "#!/no/such/interpreter\n";
  EXPECT_THAT(refusal(), HasSubstr("train.sh cannot be started: its file, or the interpreter"));
}

TEST_F(CommandRecipe, StopsACommandThatTakesTooLongWithAllThatItStarted) {
  pipeline.train.command.timeout = std::chrono::milliseconds(300);
  // Neither listens to SIGTERM.
  command("train.sh",
          "trap '' TERM\necho hanging\n(trap '' TERM; while :; do sleep 1; done) &\nwhile :; do sleep 1; done");
  EXPECT_THAT(
      refusal(),
      HasSubstr("invalid: train.sh did not end within 0 s (train.timeout) and was stopped; the last it said: hanging"));
}

TEST_F(CommandRecipe, StopsQuietlyWhenTheJobIsNoLongerOurs) {
  int asked = 0;
  host.stop = [&] { return ++asked > 2; };
  command("train.sh", "while :; do sleep 1; done");
  EXPECT_THAT(refusal(), HasSubstr("cancelled: "));
}

TEST_F(CommandRecipe, IsNotHeldUpByAFloodOfOutput) {
  pipeline.train.command.timeout = std::chrono::milliseconds(500);
  command("train.sh", "yes 'a line that is said for ever'");
  EXPECT_THAT(refusal(), HasSubstr("did not end within 0 s (train.timeout) and was stopped; the last it said: a line"));
}

TEST_F(CommandRecipe, RefusesResultsThatAreNoneWithASentence) {
  const std::string begin = "invalid: train.sh left with exit status 0, but ";
  command("train.sh", "exit 0");
  EXPECT_EQ(refusal(), begin + "out/model.onnx was not written");
  command("train.sh", hand_in("") + "rm \"$out/metrics.json\"");
  EXPECT_EQ(refusal(), begin + "out/metrics.json was not written");
  command("train.sh", hand_in(R"({"validation_metric": NaN})"));
  EXPECT_THAT(refusal(), HasSubstr(begin + "metrics.json holds NaN"));
  command("train.sh", hand_in(R"({"accuracy": 1})"));
  EXPECT_THAT(refusal(), HasSubstr(begin + "metrics.json lacks the number \"validation_metric\""));
  command("train.sh", hand_in() + "echo no model > \"$out/model.onnx\"");
  EXPECT_THAT(refusal(), HasSubstr(begin + "out/model.onnx cannot be used: "));
  command("train.sh", hand_in() + "rm \"$out/model.onnx\"; mkfifo \"$out/model.onnx\"");
  EXPECT_EQ(refusal(), begin + "out/model.onnx is no regular file");
  wire::Signal other = pipeline.signal;
  other.shape = {9};
  command("train.sh", hand_in() + "cp '" + model_file(other, "other.onnx") + "' \"$out/model.onnx\"");
  EXPECT_THAT(refusal(), HasSubstr(begin + "out/model.onnx cannot be used: "));
}

class CommandEval : public CommandRecipe {
 protected:
  Result<std::vector<Bytes>> figures() { return evaluate({pipeline, job.dataset, rows, models, host}); }
  std::string refused() {
    const auto output = figures();
    EXPECT_TRUE(scratch_is_gone());
    return output ? "accepted" : output.error().context;
  }
  std::vector<Bytes> models{to_bytes("first"), to_bytes("second")};
};

TEST_F(CommandEval, TakesWhatItWritesForEachModel) {
  command("eval.sh", "test \"$1 $2\" = '--strict eval' || exit 1\ncat \"$4/dataset.json\" > '" + folder +
                         "/described'\ncat \"$3\" \"$3\" > \"$5\"");
  const auto out = figures();
  ASSERT_TRUE(out) << out.error().context;
  EXPECT_EQ(*out, (std::vector<Bytes>{to_bytes("firstfirst"), to_bytes("secondsecond")}));
  EXPECT_EQ(Json::parse(text_of("described"))["rows"], 300);
}

TEST_F(CommandEval, SaysHowItFailed) {
  command("eval.sh", "exit 0");
  EXPECT_EQ(refused(), "eval.sh left with exit status 0, but: figures-0.npy was not written");
  command("eval.sh", "head -c 100000 /dev/zero > \"$5\"");
  EXPECT_THAT(refused(), HasSubstr("figures-0.npy has 100000 bytes; at most 6512 are taken"));
  command("eval.sh", "echo lost >&2; exit 9");
  EXPECT_EQ(refused(), "eval.sh left with exit status 9; the last it said: lost");
  pipeline.train.command.eval.clear();
  EXPECT_THAT(refused(), HasSubstr("names no train.eval"));
}

}  // namespace
}  // namespace hone::trainer
