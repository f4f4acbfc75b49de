#include "shared/pipeline/pipeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace hone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kDigits = R"([pipeline]
name = "digits"

[signal]
shape = [1, 28, 28]
dtype = "uint8"
scale = 0.00392156862745098
labels = ["0","1","2","3","4","5","6","7","8","9"]

[collect]
until = "goal"
audit_fraction = 0.0
resume_on_drift = false
daily_bytes = "50 MiB"
flush_after = "2s"

[train]
recipe = "cnn"
layers = ["conv 16 3x3", "relu", "maxpool 2", "dense 10"]
first_at_samples = 6000
when = { new_samples = 36000, every = "6h", drift = false, recipe_changed = true }
cooldown = "0s"
epochs = 5
batch_size = 64
learning_rate = 2e-3

[gate]
metric = "accuracy"
goal = 0.985
first_goal = 0.95
margin = 0.003
confidence = 0.95
holdout = 0.1
no_slice_worse_than = 0.02

[export]
formats = ["onnx"]

[delivery]
delta_bases = 4
wire_budget = "none"
rollout = [5, 25, 100]
check_every = "1d"
)";

// kDigits with one line replaced.
std::string with(const std::string& line, const std::string& by) {
  std::string text = kDigits;
  const auto at = text.find(line);
  EXPECT_NE(at, std::string::npos) << line;
  return text.replace(at, line.size(), by);
}

std::string refusal(const std::string& text) {
  const auto parsed = parse_pipeline(text, "digits.toml");
  return parsed ? "accepted" : parsed.error().context;
}

TEST(Pipeline, ReadsEveryKey) {
  const auto p = parse_pipeline(kDigits, "digits.toml");
  ASSERT_TRUE(p) << p.error().context;
  EXPECT_EQ(p->name, PipelineName("digits"));
  EXPECT_THAT(p->signal.shape, ElementsAre(1, 28, 28));
  EXPECT_EQ(p->signal.dtype, wire::DType::uint8);
  EXPECT_EQ(p->signal.scale, 0.00392156862745098);
  EXPECT_EQ(p->signal.labels.size(), 10u);
  EXPECT_EQ(p->collect.until, CollectUntil::goal);
  EXPECT_EQ(p->collect.daily_bytes, 50 << 20);
  EXPECT_EQ(p->collect.flush_after, std::chrono::seconds(2));
  EXPECT_EQ(p->train.recipe, Recipe::cnn);
  ASSERT_EQ(p->train.layers.size(), 4u);
  EXPECT_EQ(p->train.layers[0].channels, 16);
  EXPECT_EQ(p->train.first_at_samples, 6000);
  EXPECT_EQ(p->train.new_samples, 36000);
  EXPECT_EQ(p->train.every, std::chrono::hours(6));
  EXPECT_TRUE(p->train.recipe_changed);
  EXPECT_EQ(p->train.cooldown, Duration(0));
  EXPECT_EQ(p->train.epochs, 5);
  EXPECT_EQ(p->train.batch_size, 64);
  EXPECT_EQ(p->train.learning_rate, 2e-3);
  EXPECT_EQ(p->gate.goal, 0.985);
  EXPECT_EQ(p->gate.first_goal, 0.95);
  EXPECT_EQ(p->gate.margin, 0.003);
  EXPECT_EQ(p->gate.confidence, 0.95);
  EXPECT_EQ(p->gate.holdout, 0.1);
  EXPECT_EQ(p->gate.no_slice_worse_than, 0.02);
  EXPECT_EQ(p->delivery.delta_bases, 4);
  EXPECT_THAT(p->delivery.rollout, ElementsAre(5, 25, 100));
  EXPECT_EQ(p->delivery.check_every, std::chrono::hours(24));
  EXPECT_EQ(p->toml, kDigits);
}

TEST(Pipeline, HasDefaultsForWhatIsLeftOut) {
  const auto p = parse_pipeline(
      "[pipeline]\nname='a'\n[signal]\nshape=[3]\ndtype='float32'\nlabels=['x','y']\n"
      "[train]\nrecipe='mlp'\nlayers=['dense 2']\n[gate]\ngoal=1\n",
      "a.toml");
  ASSERT_TRUE(p) << p.error().context;
  EXPECT_EQ(p->gate.goal, 1.0);
  EXPECT_EQ(p->gate.first_goal, 1.0);
  EXPECT_EQ(p->collect.daily_bytes, 0);
  EXPECT_FALSE(p->train.new_samples);
  EXPECT_FALSE(p->train.every);
  EXPECT_TRUE(p->train.recipe_changed);
  EXPECT_THAT(p->delivery.rollout, ElementsAre(100));
}

TEST(Pipeline, TemplateParsesAsItIs) {
  const auto p = parse_pipeline(pipeline_template("my-camera"), "my-camera.toml");
  ASSERT_TRUE(p) << p.error().context;
  EXPECT_EQ(p->name, PipelineName("my-camera"));
  EXPECT_EQ(p->signal.labels.size(), 10u);
}

std::string text_of(const std::string& path) {
  std::ifstream in(std::string(HONE_SOURCE_DIR) + "/" + path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(Pipeline, ExamplesOfTheDocumentationParse) {
  const auto example = parse_pipeline(text_of("examples/digit-reader/digits.toml"), "digits.toml");
  EXPECT_TRUE(example) << example.error().context;
  const std::string page = text_of("docs/pipeline.md");
  const std::string open = "```toml\n";
  const auto begin = page.find(open);
  ASSERT_NE(begin, std::string::npos);
  const auto end = page.find("```", begin + open.size());
  const auto parsed = parse_pipeline(page.substr(begin + open.size(), end - begin - open.size()), "pipeline.md");
  EXPECT_TRUE(parsed) << parsed.error().context;
}

TEST(Pipeline, UnknownKeysAreErrorsWithPlaceAndSuggestion) {
  EXPECT_EQ(refusal(with("layers = [", "layer = [")),
            "digits.toml:19:1: unknown key 'layer' in [train]; did you mean 'layers'?");
  EXPECT_EQ(refusal(with("daily_bytes", "  daily_byte")),
            "digits.toml:14:3: unknown key 'daily_byte' in [collect]; did you mean 'daily_bytes'?");
  EXPECT_EQ(refusal(with("drift = false, recipe_changed", "drift = false, recipe_change")),
            "digits.toml:21:60: unknown key 'recipe_change' in [train.when]; did you mean 'recipe_changed'?");
  EXPECT_EQ(refusal(with("[gate]", "[gatee]")), "digits.toml:27:2: unknown section 'gatee'; did you mean 'gate'?");
  EXPECT_EQ(refusal(with("epochs = 5", "zzzzzz = 5")), "digits.toml:23:1: unknown key 'zzzzzz' in [train]");
}

TEST(Pipeline, BrokenTomlNamesThePlace) {
  EXPECT_THAT(refusal(with("goal = 0.985", "goal = = 0.985")), StartsWith("digits.toml:29:8: not valid TOML: "));
  EXPECT_THAT(refusal("[pipeline"), StartsWith("digits.toml:1:"));
  EXPECT_THAT(refusal(std::string(kPipelineBytesMax + 1, '#')), HasSubstr("262144"));
}

TEST(Pipeline, WrongTypesAndValuesOutOfRangeNameThePlace) {
  EXPECT_EQ(refusal(with("goal = 0.985", "goal = \"high\"")), "digits.toml:29:8: 'gate.goal' must be a number");
  EXPECT_EQ(refusal(with("goal = 0.985", "goal = 98.5")),
            "digits.toml:29:8: 'gate.goal' must be from 0 to 1, not 98.5");
  EXPECT_EQ(refusal(with("goal = 0.985", "goal = nan")), "digits.toml:29:8: 'gate.goal' must be from 0 to 1, not nan");
  EXPECT_THAT(refusal(with("epochs = 5", "epochs = 0")), HasSubstr("'train.epochs' must be from 1 to 10000, not 0"));
  EXPECT_THAT(refusal(with("batch_size = 64", "batch_size = 6.4")),
              HasSubstr("'train.batch_size' must be a whole number"));
  EXPECT_THAT(refusal(with("\"50 MiB\"", "\"50 MiP\"")), HasSubstr("'collect.daily_bytes' must be a size like"));
  EXPECT_THAT(refusal(with("\"50 MiB\"", "-1")), HasSubstr("'collect.daily_bytes' must be from 0"));
  EXPECT_THAT(refusal(with("\"6h\"", "\"6 hours\"")), HasSubstr("'train.when.every' must be a duration like"));
  EXPECT_THAT(refusal(with("\"6h\"", "\"0s\"")), HasSubstr("'train.when.every' must be at least \"1s\""));
  EXPECT_THAT(refusal(with("\"uint8\"", "\"uint9\"")), StartsWith("digits.toml:6:9: 'signal.dtype' must be 'uint8', "));
  EXPECT_THAT(refusal(with("[1, 28, 28]", "[1, 28, 0]")), StartsWith("digits.toml:5:9: 'signal.shape' does not work"));
  EXPECT_THAT(refusal(with("[1, 28, 28]", "[1, 28, \"28\"]")),
              HasSubstr("digits.toml:5:17: 'signal.shape' must hold whole numbers"));
  EXPECT_THAT(refusal(with("\"1\",", "\"0\",")), HasSubstr("'0' is there twice"));
  EXPECT_THAT(refusal(with("[5, 25, 100]", "[5, 25]")), HasSubstr("must end with 100"));
  EXPECT_THAT(refusal(with("[5, 25, 100]", "[25, 5, 100]")), StartsWith("digits.toml:42:16: "));
  EXPECT_THAT(refusal(with("name = \"digits\"", "name = \"../digits\"")), HasSubstr("'pipeline.name' must be 1 to 64"));
  EXPECT_THAT(refusal(with("[export]", "[[export]]")), HasSubstr("'export' must be a section"));
  EXPECT_THAT(refusal(with("scale = 0.00392156862745098", "scale = 0")), HasSubstr("'signal.scale' must not be 0"));
}

TEST(Pipeline, MissingPartsAreNamed) {
  EXPECT_THAT(refusal(""), HasSubstr("[pipeline] is missing"));
  EXPECT_THAT(refusal(with("goal = 0.985\nfirst", "first")), HasSubstr("'gate.goal' is missing"));
  EXPECT_THAT(refusal(with("shape = [1, 28, 28]\n", "")), StartsWith("digits.toml:4:1: 'signal.shape' is missing"));
}

TEST(Pipeline, LayersThatCannotWorkAreNamed) {
  EXPECT_EQ(refusal(with("\"maxpool 2\", \"dense 10\"", "\"maxpool 28\", \"maxpool 3\", \"dense 10\"")),
            "digits.toml:19:10: 'train.layers' do not fit the signal: layer 4 'maxpool 3' would need at least 3x3 "
            "input, gets 1x1");
  EXPECT_THAT(refusal(with("\"dense 10\"", "\"dense 9\"")), HasSubstr("must be 'dense 10'"));
  EXPECT_THAT(refusal(with("\"relu\"", "\"gelu\"")),
              StartsWith("digits.toml:19:26: 'train.layers' has a mistake in layer 2: 'gelu' is no layer"));
  EXPECT_THAT(refusal(with("\"cnn\"", "\"mlp\"")), HasSubstr("which the recipe 'mlp' cannot use"));
}

TEST(Pipeline, WhatThisVersionDoesNotHaveYetIsSaid) {
  const auto expect_later = [](const std::string& text, const std::string& use) {
    EXPECT_THAT(refusal(text), HasSubstr("this version does not have yet; use " + use));
  };
  expect_later(with("[\"onnx\"]", "[\"command\"]"), "'onnx'");
  expect_later(with("drift = false,", "drift = true,"), "false");
  expect_later(with("resume_on_drift = false", "resume_on_drift = true"), "false");
  expect_later(with("audit_fraction = 0.0", "audit_fraction = 0.01"), "0.0");
}

const std::string kPump = R"([pipeline]
name = "pump"
[signal]
shape = [3, 64]
dtype = "int16"
rate_hz = 2
[train]
recipe = "kmeans"
clusters = [3, 5]
trim = 0.05
alarms_per_day = 20
[gate]
goal = 0.6
)";

std::string pump(const std::string& what, const std::string& by) {
  std::string text = kPump;
  return text.replace(text.find(what), what.size(), by);
}

TEST(Pipeline, ReadsHowNetworksLearn) {
  EXPECT_EQ(parse_pipeline(kDigits, "digits.toml")->train.start, Start::warm);
  const auto p = parse_pipeline(with("epochs = 5",
                                     "epochs = 5\nstart = \"best\"\npatience = 3\nbalance = true\n"
                                     "normalise = true\naugment = { shift = 2, rotate = 10 }"),
                                "digits.toml");
  ASSERT_TRUE(p) << p.error().context;
  EXPECT_EQ(p->train.start, Start::best);
  EXPECT_EQ(p->train.patience, 3);
  EXPECT_TRUE(p->train.balance);
  EXPECT_TRUE(p->train.normalise);
  EXPECT_EQ(p->train.augment.shift, 2);
  EXPECT_EQ(p->train.augment.rotate, 10);
  EXPECT_THAT(refusal(with("epochs = 5", "start = \"hot\"")),
              HasSubstr("must be 'warm', 'fresh' or 'best', not 'hot'"));
  EXPECT_THAT(refusal(with("epochs = 5", "augment = { turn = 3 }")),
              HasSubstr("unknown key 'turn' in [train.augment]"));
}

TEST(Pipeline, ReadsWhatAnUpdateMayCostOnTheWire) {
  const auto budget = [](const std::string& text) {
    return parse_pipeline(with("\"none\"", text), "digits.toml").value().delivery;
  };
  EXPECT_FALSE(budget("\"none\"").wire_budget);
  EXPECT_EQ(budget("\"1%\"").wire_budget->bytes_of(827'688), 8276);
  EXPECT_EQ(budget("\"0.25%\"").wire_budget->bytes_of(400'000), 1000);
  EXPECT_EQ(budget("\"8 KiB\"").wire_budget->bytes_of(827'688), 8192);
  EXPECT_EQ(budget("\"1%\"").wire_keep, 0.9);
  for (const char* text : {"\"0%\"", "\"101%\"", "\"nan%\"", "\"%\"", "\"1\"", "\"few\"", "\"8 B\""})
    EXPECT_THAT(refusal(with("\"none\"", text)), HasSubstr("'delivery.wire_budget' must be \"none\", a share"));
  EXPECT_THAT(refusal(pump("goal = 0.6", "goal = 0.6\n[delivery]\nwire_budget = \"1%\"")),
              HasSubstr("is for recipes with layers that learn labels, not for 'kmeans'"));
}

TEST(Pipeline, ReadsWhatIsExported) {
  const auto p = parse_pipeline(with("[\"onnx\"]", "[\"onnx\", \"onnx-int8\"]\nmay_lose = 0.01"), "digits.toml");
  ASSERT_TRUE(p) << p.error().context;
  EXPECT_THAT(p->exports.formats, ElementsAre(ExportFormat::onnx, ExportFormat::onnx_int8));
  EXPECT_EQ(p->exports.may_lose, 0.01);
  EXPECT_THAT(refusal(with("[\"onnx\"]", "[\"onnx-int8\"]")), HasSubstr("must begin with 'onnx'"));
  EXPECT_THAT(refusal(with("[\"onnx\"]", "[]")), HasSubstr("must begin with 'onnx'"));
  EXPECT_THAT(refusal(with("[\"onnx\"]", "[\"onnx\", \"onnx\"]")), HasSubstr("names 'onnx' twice"));
  EXPECT_THAT(refusal(with("[\"onnx\"]", "[\"tflite\"]")), HasSubstr("must hold 'onnx' and 'onnx-int8'"));
}

TEST(Pipeline, ReadsAnUnsupervisedOne) {
  const auto p = parse_pipeline(kPump, "pump.toml");
  ASSERT_TRUE(p) << p.error().context;
  EXPECT_EQ(p->train.recipe, Recipe::kmeans);
  EXPECT_EQ(p->train.kmeans.clusters_min, 3);
  EXPECT_EQ(p->train.kmeans.clusters_max, 5);
  EXPECT_EQ(p->train.kmeans.trim, 0.05);
  EXPECT_EQ(p->train.kmeans.min_cluster, 0.05);
  EXPECT_EQ(p->train.anomaly.alarms_per_day, 20);
  EXPECT_EQ(p->rate_hz, 2);
  EXPECT_EQ(p->gate.metric, Metric::silhouette);
  EXPECT_TRUE(p->signal.labels.empty());
  EXPECT_FALSE(learns_labels(p->train.recipe));
}

const std::string kHeart = R"([pipeline]
name = "heart"
[signal]
shape = [2]
dtype = "int16"
rate_hz = 360
stream = { window = 256, stride = 64 }
[train]
recipe = "kmeans"
alarms_per_day = 20
[gate]
metric = "silhouette"
goal = 0.3
)";

std::string heart_with(const std::string& from, const std::string& to) {
  std::string text = kHeart;
  return text.replace(text.find(from), from.size(), to);
}

TEST(Pipeline, ReadsAStreamFromWhichDevicesCutWindows) {
  const auto pipeline = parse_pipeline(kHeart, "heart.toml");
  ASSERT_TRUE(pipeline) << pipeline.error().context;
  EXPECT_EQ(pipeline->stream, (wire::Stream{256, 64, 360}));
  EXPECT_THAT(pipeline->signal.shape, ElementsAre(2, 256)) << "everybody but the device sees windows";
  EXPECT_DOUBLE_EQ(*pipeline->rate_hz, 360.0 / 64) << "windows a second";
  EXPECT_FALSE(pipeline->windows);
  EXPECT_THAT(parse_pipeline(heart_with("[2]", "[1]"), "f")->signal.shape, ElementsAre(256));
  EXPECT_EQ(parse_pipeline(heart_with(", stride = 64", ""), "f")->stream->stride, 256);
}

TEST(Pipeline, ReadsRecordsFromWhichTheGraphCutsWindows) {
  const auto text = heart_with("stride = 64", "stride = 64, cut = \"graph\"");
  std::string records = text;
  records.replace(records.find("[2]"), 3, "[2, 3600]");
  const auto read = parse_pipeline(records, "heart.toml");
  ASSERT_TRUE(read) << read.error().context;
  EXPECT_FALSE(read->stream);
  ASSERT_TRUE(read->windows);
  EXPECT_EQ(read->windows->window, 256);
  EXPECT_EQ(read->windows->stride, 64);
  EXPECT_THAT(read->signal.shape, ElementsAre(2, 3600));
  EXPECT_DOUBLE_EQ(*read->rate_hz, 360) << "records a second, as the file says";
  EXPECT_THAT(parse_pipeline(text, "heart.toml").error().context, HasSubstr("heart.toml:7:"));
  const std::string kmeans = "recipe = \"kmeans\"\nalarms_per_day = 20";
  records.replace(records.find(kmeans), kmeans.size(), "recipe = \"autoencoder\"\nlayers = [\"dense 7200\"]");
  EXPECT_THAT(parse_pipeline(records, "f").error().context, HasSubstr("cuts no windows"));
}

TEST(Pipeline, RefusesStreamsThatCannotBeCut) {
  const auto wrong = [](const std::string& from, const std::string& to) {
    const auto pipeline = parse_pipeline(heart_with(from, to), "f");
    return pipeline ? std::string("it was accepted") : pipeline.error().context;
  };
  EXPECT_THAT(wrong("rate_hz = 360\n", ""), HasSubstr("needs signal.rate_hz"));
  EXPECT_THAT(wrong("shape = [2]", "shape = [2, 8]"), HasSubstr("must be [channels]"));
  EXPECT_THAT(wrong("window = 256", "window = 0"), HasSubstr("window"));
  EXPECT_THAT(wrong("window = 256, ", ""), HasSubstr("window"));
  EXPECT_THAT(wrong("window = 256", "window = 16000000"), HasSubstr("window"));
  EXPECT_THAT(wrong("stride = 64", "stride = 64, cut = \"here\""), HasSubstr("cut"));
  EXPECT_THAT(wrong("stride = 64", "strid = 64"), HasSubstr("did you mean 'stride'"));
}

TEST(Pipeline, AnotherStreamIsAnotherRecipe) {
  const std::string print = parse_pipeline(kHeart, "f")->recipe_fingerprint();
  EXPECT_NE(parse_pipeline(heart_with("stride = 64", "stride = 32"), "f")->recipe_fingerprint(), print);
  EXPECT_NE(parse_pipeline(heart_with("window = 256", "window = 128"), "f")->recipe_fingerprint(), print);
  EXPECT_EQ(parse_pipeline(heart_with("goal = 0.3", "goal = 0.4"), "f")->recipe_fingerprint(), print);
}

TEST(Pipeline, ReadsAnAutoencoder) {
  const std::string recipe = "recipe = \"autoencoder\"\nlayers = [\"dense 32\", \"relu\", \"dense 192\"]";
  std::string text = pump("recipe = \"kmeans\"\nclusters = [3, 5]", recipe);
  const auto p = parse_pipeline(text, "pump.toml");
  ASSERT_TRUE(p) << p.error().context;
  EXPECT_EQ(p->train.recipe, Recipe::autoencoder);
  EXPECT_EQ(p->train.autoencoder.trim, 0.05);
  EXPECT_EQ(p->train.anomaly.alarms_per_day, 20);
  EXPECT_EQ(p->gate.metric, Metric::reconstruction);
  EXPECT_FALSE(learns_labels(p->train.recipe));
  EXPECT_THAT(refusal(text.replace(text.find("dense 192"), 9, "dense 191")),
              HasSubstr("must be 'dense 192': one output for each element of a sample"));
}

TEST(Pipeline, ReadsACommand) {
  const std::string recipe =
      "recipe = \"command\"\ncommand = [\"train.py\", \"--fast\"]\neval = [\"eval.py\"]\ntimeout = \"5m\"";
  const auto command = [&](const std::string& from, const std::string& to) {
    std::string text = pump("recipe = \"kmeans\"\nclusters = [3, 5]\ntrim = 0.05\nalarms_per_day = 20", recipe);
    return text.replace(text.find(from), from.size(), to);
  };
  const auto p = parse_pipeline(command("goal = 0.6", "goal = 250"), "pump.toml");
  ASSERT_TRUE(p) << p.error().context;
  EXPECT_THAT(p->train.command.train, ElementsAre("train.py", "--fast"));
  EXPECT_THAT(p->train.command.eval, ElementsAre("eval.py"));
  EXPECT_EQ(p->train.command.timeout, std::chrono::minutes(5));
  EXPECT_EQ(p->gate.metric, Metric::score);
  EXPECT_EQ(p->gate.goal, 250);
  EXPECT_THAT(refusal(command("[\"train.py\", \"--fast\"]", "[]")), HasSubstr("'train.command' must name a program"));
  EXPECT_THAT(refusal(command("eval = [\"eval.py\"]\n", "")), HasSubstr("name it in train.eval"));
  EXPECT_THAT(refusal(command("timeout", "epochs = 3\ntimeout")), HasSubstr("is not for the recipe 'command'"));
}

TEST(Pipeline, RefusesWhatDoesNotBelongToTheRecipe) {
  EXPECT_THAT(refusal(pump("trim = 0.05", "epochs = 5")), HasSubstr("'train.epochs' is not for the recipe 'kmeans'"));
  EXPECT_THAT(refusal(with("epochs = 5", "trim = 0.1")), HasSubstr("'train.trim' is not for the recipe 'cnn'"));
  EXPECT_THAT(refusal(pump("[3, 5]", "[5, 3]")), HasSubstr("'train.clusters' must be the least and the largest"));
  EXPECT_THAT(refusal(pump("[3, 5]", "[1]")), HasSubstr("from 2 to 256"));
  EXPECT_THAT(refusal(pump("trim = 0.05", "min_cluster = 0.4")), HasSubstr("3 clusters cannot each hold"));
  EXPECT_THAT(refusal(pump("rate_hz = 2\n", "")), HasSubstr("'train.alarms_per_day' needs signal.rate_hz"));
  EXPECT_THAT(refusal(pump("trim = 0.05", "threshold = 0.9")), HasSubstr("says the same as threshold"));
  EXPECT_THAT(refusal(pump("goal = 0.6", "goal = 0.6\nmetric = \"accuracy\"")), HasSubstr("use 'silhouette'"));
  EXPECT_THAT(refusal(with("\"accuracy\"", "\"silhouette\"")), HasSubstr("use 'accuracy'"));
  EXPECT_THAT(refusal(with("labels = [\"0\",\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]\n", "")),
              HasSubstr("'train.recipe' is 'cnn', which learns labels: name them in signal.labels"));
}

TEST(Pipeline, FingerprintOfAClusteringChangesWithWhatItReads) {
  const auto fingerprint = [](const std::string& text) {
    return parse_pipeline(text, "pump.toml").value().recipe_fingerprint();
  };
  const std::string before = fingerprint(kPump);
  EXPECT_EQ(fingerprint(pump("goal = 0.6", "goal = 0.7")), before);
  for (const auto& [what, by] : {std::pair{"[3, 5]", "[3, 6]"},
                                 {"trim = 0.05", "trim = 0.06"},
                                 {"trim = 0.05", "spectrum = true\ntrim = 0.05"},
                                 {"alarms_per_day = 20", "alarms_per_day = 21"},
                                 {"rate_hz = 2", "rate_hz = 3"}})
    EXPECT_NE(fingerprint(pump(what, by)), before) << by;
}

TEST(Pipeline, AnAucComparesTwoLabels) {
  EXPECT_EQ(parse_pipeline(with("\"accuracy\"", "\"f1\""), "digits.toml").value().gate.metric, Metric::f1);
  EXPECT_THAT(refusal(with("\"accuracy\"", "\"auc\"")), HasSubstr("which compares exactly 2 labels"));
}

TEST(Pipeline, NeverIsAWordForCheckEvery) {
  const auto p = parse_pipeline(with("\"1d\"", "\"never\""), "digits.toml");
  ASSERT_TRUE(p) << p.error().context;
  EXPECT_FALSE(p->delivery.check_every);
  EXPECT_THAT(refusal(with("\"1d\"", "\"often\"")), HasSubstr("'delivery.check_every' must be a duration"));
}

TEST(Pipeline, FingerprintChangesExactlyWithTheRecipe) {
  const std::string before = parse_pipeline(kDigits, "digits.toml")->recipe_fingerprint();
  const auto fingerprint = [](const std::string& text) {
    return parse_pipeline(text, "digits.toml").value().recipe_fingerprint();
  };
  for (const auto& [line, by] : {std::pair{"goal = 0.985", "goal = 0.9"},
                                 {"\"50 MiB\"", "1"},
                                 {"cooldown = \"0s\"", "cooldown = \"1m\""},
                                 {"[5, 25, 100]", "[100]"},
                                 {"\"relu\"", "\" relu \""},
                                 {"0.00392156862745098", "0.003921568627450980"}})
    EXPECT_EQ(fingerprint(with(line, by)), before) << line;
  for (const auto& [line, by] : {std::pair{"conv 16", "conv 17"},
                                 {"epochs = 5", "epochs = 6"},
                                 {"batch_size = 64", "batch_size = 65"},
                                 {"2e-3", "2.1e-3"},
                                 {"epochs = 5", "epochs = 5\nbalance = true"},
                                 {"epochs = 5", "epochs = 5\nstart = \"fresh\""},
                                 {"\"uint8\"", "\"int8\""},
                                 {"0.00392156862745098", "1"}})
    EXPECT_NE(fingerprint(with(line, by)), before) << line;
}

}  // namespace
}  // namespace hone
