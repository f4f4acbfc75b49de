#include "trainer/local/local.hpp"

#include <gtest/gtest.h>

#include "base/hash.hpp"
#include "platform/sim/sim.hpp"
#include "shared/wire/npy.hpp"
#include "trainer/onnx_reader.hpp"

namespace hone::trainer {
namespace {

constexpr std::string_view kPipeline = R"toml(
[pipeline]
name = "sides"
[signal]
shape = [2]
dtype = "uint8"
scale = 0.00392156862745098
labels = ["left", "right"]
[train]
recipe = "mlp"
layers = ["dense 8", "relu", "dense 2"]
epochs = 4
batch_size = 16
learning_rate = 0.02
[gate]
goal = 0.9
)toml";

class LocalTest : public ::testing::Test {
 protected:
  LocalTest() {
    EXPECT_TRUE(files_.make_folders("data"));
    write("sides.toml", to_bytes(kPipeline));
  }
  void write(const std::string& path, const Bytes& bytes) { ASSERT_TRUE(write_file_atomically(files_, path, bytes)); }
  // Which of the two numbers is the larger; every tenth row has no label.
  void write_rows(std::size_t rows, bool labelled = true) {
    Bytes x = wire::npy_header("|u1", {static_cast<std::int64_t>(rows), 2});
    Bytes y = wire::npy_header("|i1", {static_cast<std::int64_t>(rows)});
    for (std::size_t i = 0; i < rows; ++i) {
      const bool right = i % 2 == 1;
      const auto small = static_cast<std::uint8_t>(i % 90), large = static_cast<std::uint8_t>(160 + i % 95);
      x.push_back(right ? small : large);
      x.push_back(right ? large : small);
      y.push_back(!labelled || i % 10 == 9 ? 255 : right ? 1 : 0);
    }
    write("data/x.npy", x);
    write("data/y.npy", y);
  }
  Result<Json> train(std::uint64_t seed = 7, const std::string& base = {}) {
    LocalOptions options{"sides.toml", "data", "out/new", base, "", seed, "bench"};
    return train_locally(options, files_, clock_, [this](const wire::ProgressPoint&) { return ++points_ > points_max_; },
                         [] { return false; });
  }

  platform::SimFiles files_;
  platform::SimClock clock_{from_unix_ms(1000)};
  int points_ = 0, points_max_ = 1 << 30;
};

TEST_F(LocalTest, WritesTheModelAndWhatItCameFrom) {
  write_rows(400);
  const auto training = train();
  ASSERT_TRUE(training) << training.error().context;
  const auto onnx = read_file(files_, "out/new/model.onnx", kOnnxBytesMax);
  const auto text = read_file(files_, "out/new/training.json", 1 << 20);
  ASSERT_TRUE(onnx && text);
  EXPECT_EQ(Json::parse(as_text(*text)), *training);
  EXPECT_EQ(training->at("model").at("sha256"), sha256(*onnx).hex());
  EXPECT_GT(training->at("validation_metric").get<double>(), 0.9);
  EXPECT_FALSE(training->at("curve").empty());
  EXPECT_EQ(training->at("seed"), 7);
  EXPECT_EQ(training->at("lineage").at("rows"), 360);
  EXPECT_EQ(training->at("lineage").at("rows_without_a_label"), 40);
  EXPECT_FALSE(training->at("lineage").contains("validated_on_fitted_rows"));
  EXPECT_EQ(training->at("data"), "data/x.npy, data/y.npy");
  EXPECT_GT(points_, 0);
}

TEST_F(LocalTest, OneSeedGivesOneFile) {
  write_rows(200);
  const auto first = train(1), again = train(1), other = train(2);
  ASSERT_TRUE(first && again && other);
  EXPECT_EQ(first->at("model").at("sha256"), again->at("model").at("sha256"));
  EXPECT_NE(first->at("model").at("sha256"), other->at("model").at("sha256"));
}

TEST_F(LocalTest, StartsFromABaseModel) {
  write_rows(200);
  const auto first = train(1);
  ASSERT_TRUE(first);
  const auto warm = train(2, "out/new/model.onnx");
  ASSERT_TRUE(warm) << warm.error().context;
  EXPECT_EQ(warm->at("base"), first->at("model").at("sha256"));
  EXPECT_EQ(warm->at("lineage").at("warm_start"), true);
  const auto missing = train(2, "none.onnx");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().context.find("the base model none.onnx"), std::string::npos);
}

TEST_F(LocalTest, WithoutLabelsALearnerOfLabelsSaysSo) {
  write_rows(40, false);
  const auto training = train();
  ASSERT_FALSE(training);
  EXPECT_NE(training.error().context.find("no row has a label, and the recipe 'mlp'"), std::string::npos) << training.error().context;
}

TEST_F(LocalTest, SaysThatFewRowsValidateTheirOwnFit) {
  write_rows(20);
  const auto training = train();
  ASSERT_TRUE(training) << training.error().context;
  EXPECT_EQ(training->at("lineage").at("validated_on_fitted_rows"), true);
}

TEST_F(LocalTest, AsksForTheFolderOfCommands) {
  std::string toml(kPipeline);
  const auto from = toml.find("recipe"), to = toml.find("[gate]");
  write("sides.toml", to_bytes(toml.replace(from, to - from, "recipe = \"command\"\ncommand = [\"train.sh\"]\n")));
  write_rows(40);
  const auto training = train();
  ASSERT_FALSE(training);
  EXPECT_EQ(training.error().code, Code::invalid);
  EXPECT_NE(training.error().context.find("give --commands DIR, the folder that holds 'train.sh'"), std::string::npos)
      << training.error().context;
}

TEST_F(LocalTest, StoppedItWritesNothing) {
  write_rows(400);
  points_max_ = 1;
  const auto training = train();
  ASSERT_FALSE(training);
  EXPECT_EQ(training.error().code, Code::cancelled);
  EXPECT_FALSE(*files_.exists("out/new/model.onnx"));
}

}  // namespace
}  // namespace hone::trainer
