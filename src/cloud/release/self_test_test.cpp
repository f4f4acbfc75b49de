#include "cloud/release/self_test.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cloud/dataset/shard_builder.hpp"
#include "cloud/store/files/blobs.hpp"
#include "platform/sim/sim.hpp"

namespace hone::cloud {
namespace {

// Answers {x, -x} for a one-byte sample, so that the expected outputs are known.
class Mirror : public model::Runner {
 public:
  std::int64_t width() const override { return 2; }
  Result<> run(ByteView inputs, std::int64_t rows, std::span<float> outputs, std::span<float>) const override {
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) {
      outputs[2 * i] = factor * static_cast<float>(inputs[i]);
      outputs[2 * i + 1] = -factor * static_cast<float>(inputs[i]);
    }
    return {};
  }
  float factor = 1;
};

struct SelfTestTest : ::testing::Test {
  SelfTestTest() {
    blobs = open_blob_folder(files, "blobs").value();
    dataset.pipeline = PipelineName("p");
    dataset.signal.shape = {1};
    dataset.signal.dtype = wire::DType::uint8;
  }
  void fill(int rows) {
    ShardBuilder builder(dataset.signal);
    for (int i = 0; i < rows; ++i) builder.append(Bytes{static_cast<std::uint8_t>(i)}, 0, 0, 0);
    dataset.holdout = {builder.write_rest(*blobs).value()};
  }
  platform::SimFiles files;
  std::unique_ptr<BlobStore> blobs;
  wire::DatasetManifest dataset;
  Mirror runner;
};

TEST_F(SelfTestTest, CarriesHoldoutRowsWithTheModelsAnswers) {
  fill(160);
  const auto test = make_self_test(runner, dataset, *blobs);
  ASSERT_TRUE(test.has_value()) << test.error().context;
  EXPECT_EQ(test->rows, 16);
  EXPECT_EQ(test->inputs[1], 10) << "evenly spaced";
  EXPECT_EQ(test->outputs[2], 10.0F);
  EXPECT_EQ(test->outputs[3], -10.0F);
  EXPECT_FLOAT_EQ(test->tolerance, 0.15F) << "a thousandth of the largest answer";
}

TEST_F(SelfTestTest, TakesAllRowsOfASmallHoldout) {
  fill(3);
  EXPECT_EQ(make_self_test(runner, dataset, *blobs)->rows, 3);
}

TEST_F(SelfTestTest, RefusesAModelThatAnswersWithNoNumber) {
  fill(3);
  runner.factor = std::numeric_limits<float>::infinity();
  EXPECT_EQ(make_self_test(runner, dataset, *blobs).error().code, Code::invalid);
}

}  // namespace
}  // namespace hone::cloud
