// Writer and reader together: what is written is what is read, and nothing else is believed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "trainer/onnx_reader.hpp"
#include "trainer/onnx_writer.hpp"
#include "trainer/testing_rows.hpp"

namespace hone::trainer {
namespace {

using namespace testing;

Plan small_plan() {
  return *plan_network(signal({1, 6, 6}, 3), {conv(2, 3), relu(), maxpool(2), dense(3)});
}

Weights drawn(const Plan& plan, std::uint64_t seed) {
  Draw draw(seed);
  Weights weights;
  for (const PlannedTensor& planned : plan.tensors()) {
    Tensor tensor{planned.name, planned.shape, std::vector<float>(static_cast<std::size_t>(product(planned.shape)))};
    for (float& value : tensor.values) value = static_cast<float>(draw()) / 128.0f - 1.0f;
    weights.push_back(std::move(tensor));
  }
  return weights;
}

OnnxLineage lineage() {
  OnnxLineage result;
  result.pipeline = PipelineName("digits");
  result.recipe = "cnn";
  result.dataset = std::string(64, 'a');
  result.seed = 7;
  return result;
}

TEST(OnnxFile, GivesBackTheWeightsBitForBit) {
  const Plan plan = small_plan();
  Weights weights = drawn(plan, 1);
  weights[0].values[0] = 1e-42f;  // a subnormal
  weights[0].values[1] = -0.0f;
  const auto bytes = write_onnx(plan, weights, lineage());
  ASSERT_TRUE(bytes) << bytes.error().context;
  const auto read = read_weights(*bytes, plan);
  ASSERT_TRUE(read) << read.error().context;
  EXPECT_EQ(*read, weights);
}

TEST(OnnxFile, IsTheSameForTheSameWeights) {
  const Plan plan = small_plan();
  EXPECT_EQ(*write_onnx(plan, drawn(plan, 1), lineage()), *write_onnx(plan, drawn(plan, 1), lineage()));
}

TEST(OnnxFile, KeepsItsBytesWhereOnlyTheDatasetDiffers) {
  const Plan plan = small_plan();
  OnnxLineage later = lineage();
  later.dataset = std::string(64, 'b');
  const Bytes one = *write_onnx(plan, drawn(plan, 1), lineage());
  const Bytes other = *write_onnx(plan, drawn(plan, 1), later);
  ASSERT_EQ(one.size(), other.size());
  std::size_t different = 0;
  for (std::size_t i = 0; i < one.size(); ++i) different += one[i] != other[i];
  EXPECT_EQ(different, 16u);
}

TEST(OnnxFile, SaysThatAnotherRecipeHasOtherTensors) {
  const Plan plan = small_plan();
  const Bytes bytes = *write_onnx(plan, drawn(plan, 1), lineage());
  const Plan wider = *plan_network(signal({1, 6, 6}, 3), {conv(4, 3), relu(), maxpool(2), dense(3)});
  const auto read = read_weights(bytes, wider);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::wrong_base);
  const Plan deeper = *plan_network(signal({1, 6, 6}, 3), {conv(2, 3), relu(), maxpool(2), dense(3), relu(), dense(3)});
  EXPECT_EQ(read_weights(bytes, deeper).error().code, Code::wrong_base);
}

TEST(OnnxFile, RefusesWhatIsCutShortOrNoModel) {
  const Plan plan = small_plan();
  const Bytes bytes = *write_onnx(plan, drawn(plan, 1), lineage());
  for (const std::size_t kept : {std::size_t{1}, bytes.size() / 3, bytes.size() - 1})
    EXPECT_FALSE(read_weights(ByteView(bytes).first(kept), plan)) << kept;
  EXPECT_EQ(read_weights(as_bytes("this is no model"), plan).error().code, Code::damaged);
  EXPECT_EQ(read_weights({}, plan).error().code, Code::wrong_base);  // an empty message: no tensors
}

TEST(OnnxFile, SurvivesEveryFlippedByteOfItsStructure) {
  const Plan plan = small_plan();
  const Bytes bytes = *write_onnx(plan, drawn(plan, 1), lineage());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Bytes bad = bytes;
    bad[i] ^= 0xff;
    const auto read = read_weights(bad, plan);
    if (read) {
      EXPECT_EQ(read->size(), plan.tensors().size());
    }
  }
}

TEST(OnnxFile, GivesBackTheInputScaleAndRefusesOneThatIsNoNumber) {
  Plan plan = small_plan();
  const float endless = std::numeric_limits<float>::infinity();
  const InputScale good{{1, 1, 1}, {0.25f}, {2.0f}, 5.0f};
  plan.input_scale = good;
  const auto read = read_input_scale(*write_onnx(plan, drawn(plan, 1), lineage()), plan);
  ASSERT_TRUE(read) << read.error().context;
  EXPECT_EQ(*read, good);
  for (const InputScale& bad : {InputScale{{1, 1, 1}, {endless}, {2.0f}, 5.0f}, InputScale{{1, 1, 1}, {0.25f}, {endless}, 5.0f},
                                InputScale{{1, 1, 1}, {0.25f}, {2.0f}, endless}, InputScale{{1, 1, 1}, {0.25f}, {2.0f}, 0.0f}}) {
    plan.input_scale = bad;
    const auto onnx = write_onnx(plan, drawn(plan, 1), lineage());
    ASSERT_TRUE(onnx) << onnx.error().context;
    const auto refused = read_input_scale(*onnx, plan);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::wrong_base);
  }
}

TEST(OnnxFile, IsNotWrittenFromWeightsOfAnotherNetwork) {
  const Plan plan = small_plan();
  Weights weights = drawn(plan, 1);
  weights.pop_back();
  EXPECT_EQ(write_onnx(plan, weights, lineage()).error().code, Code::invalid);
  weights = drawn(plan, 1);
  weights[1].values.pop_back();
  EXPECT_EQ(write_onnx(plan, weights, lineage()).error().code, Code::invalid);
}

}  // namespace
}  // namespace hone::trainer
