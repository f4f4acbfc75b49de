// An update in integers is what a device rebuilds, bit for bit.
#include "trainer/wire/tensor_update.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <random>

#include "shared/delta/apply.hpp"
#include "shared/delta/encode/encode.hpp"
#include "shared/delta/encode/hints_file.hpp"
#include "trainer/onnx_reader.hpp"
#include "trainer/testing_rows.hpp"
#include "trainer/wire/patch_size.hpp"
#include "trainer/wire/rate.hpp"

namespace hone::trainer::wire_training {
namespace {

using namespace testing;

Plan plan_of_images() {
  return *plan_network(signal({1, 12, 12}, 4), {conv(8, 3), relu(), maxpool(2), dense(32), relu(), dense(4)});
}

Weights drawn(const Plan& plan, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(0, 0.1f);
  Weights weights;
  for (const PlannedTensor& tensor : plan.tensors()) {
    Tensor one{tensor.name, tensor.shape, std::vector<float>(static_cast<std::size_t>(product(tensor.shape)))};
    for (float& value : one.values) value = normal(random);
    weights.push_back(std::move(one));
  }
  return weights;
}

// Steps for all tensors, mostly zero; a product of rank 3 for the first dense layer, with steps beside it.
Update drawn_update(const Weights& weights, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto small = [&] { return static_cast<std::int32_t>(random() % 8 == 0 ? random() % 5 : 2) - 2; };
  Update update;
  for (const Tensor& tensor : weights) {
    TensorUpdate change{tensor.name, 5};
    for (std::size_t e = 0; e < tensor.values.size(); ++e) change.steps.push_back(small());
    if (tensor.name == "layers.3.weight") {
      change.scale = 7;
      change.rows = 32;
      change.columns = static_cast<std::uint32_t>(tensor.values.size() / 32);
      change.rank = 3;
      for (std::uint32_t i = 0; i < change.rows * 3; ++i) change.u.push_back(static_cast<std::int16_t>(random() % 5) - 2);
      for (std::uint32_t i = 0; i < change.columns * 3; ++i) change.v.push_back(static_cast<std::int16_t>(small()));
      for (std::int32_t& step : change.steps) step *= 4;
    }
    update.push_back(std::move(change));
  }
  return update;
}

struct Pair {
  Plan plan = plan_of_images();
  Weights deployed = drawn(plan, 1);
  OnnxLineage lineage{PipelineName("test"), "recipe", std::string(64, 'a'), std::string(64, 'b'), 1};
  Bytes onnx = *write_onnx(plan, deployed, lineage);
  UpdateFile file{plan, deployed, onnx, lineage};
};

TEST(TensorUpdate, IsRebuiltByTheDecoderBitForBit) {
  const Pair pair;
  const Update update = drawn_update(pair.deployed, 2);
  const auto target = pair.file.onnx(update);
  ASSERT_TRUE(target) << target.error().context;
  delta::EncodeOptions options;
  options.hints = hints_of(update);
  const auto patch = delta::encode(pair.onnx, *target, options);
  ASSERT_TRUE(patch);
  const auto rebuilt = delta::apply(pair.onnx, *patch, target->size());
  ASSERT_TRUE(rebuilt) << rebuilt.error().context;
  EXPECT_EQ(*rebuilt, *target);
  EXPECT_EQ(*read_weights(*rebuilt, pair.plan), *rebuild(pair.deployed, update));
  EXPECT_EQ(*pair.file.wire_bytes(update), patch->size());
}

TEST(TensorUpdate, TravelsSmallerWithItsHints) {
  const Pair pair;
  const Update update = drawn_update(pair.deployed, 2);
  const auto without = delta::encode(pair.onnx, *pair.file.onnx(update));
  ASSERT_TRUE(without);
  EXPECT_LT(*pair.file.wire_bytes(update) * 4, without->size() * 3);
}

TEST(TensorUpdate, HintsSurviveTheirFile) {
  const Pair pair;
  const auto hints = hints_of(drawn_update(pair.deployed, 3));
  ASSERT_EQ(hints.size(), 1u);
  const auto read = delta::read_hints(delta::write_hints(hints));
  ASSERT_TRUE(read) << read.error().context;
  ASSERT_EQ(read->size(), 1u);
  EXPECT_EQ((*read)[0].tensor, "layers.3.weight");
  EXPECT_EQ((*read)[0].u, hints[0].u);
  EXPECT_EQ((*read)[0].v, hints[0].v);
  EXPECT_EQ((*read)[0].scale, hints[0].scale);
  EXPECT_EQ((*read)[0].columns, hints[0].columns);
}

TEST(TensorUpdate, LosesItsEmptyComponentsAndKeepsItsMeaning) {
  const Pair pair;
  Update update = drawn_update(pair.deployed, 4);
  TensorUpdate& change = update[2];
  ASSERT_EQ(change.rank, 3u);
  for (std::uint32_t i = 0; i < change.rows; ++i) change.u[i * 3 + 1] = 0;
  const TensorUpdate simple = simplified(change);
  EXPECT_EQ(simple.rank, 2u);
  EXPECT_EQ(simple.method(), "low rank 2 + lattice");
  Update other = update;
  other[2] = simple;
  EXPECT_EQ(*rebuild(pair.deployed, other), *rebuild(pair.deployed, update));
}

TEST(TensorUpdate, SaysWhatItIs) {
  TensorUpdate change{"t", 3};
  EXPECT_EQ(change.method(), "frozen");
  change.steps = {0, 0};
  EXPECT_EQ(simplified(change).method(), "frozen");
  change.steps = {0, 1};
  EXPECT_EQ(change.method(), "lattice");
  change = {"t", 3, 1, 2, 1, {1}, {0, 4}};
  EXPECT_EQ(change.method(), "low rank 1");
}

TEST(TensorUpdate, RefusesWhatCannotBeSent) {
  const Pair pair;
  const Update good = drawn_update(pair.deployed, 5);
  Update bad = good;
  bad[0].steps.pop_back();
  EXPECT_EQ(rebuild(pair.deployed, bad).error().code, Code::invalid);
  bad = good;
  bad[0].steps[0] = 1 << 24;
  EXPECT_EQ(rebuild(pair.deployed, bad).error().code, Code::invalid);
  bad = good;
  bad[2].v.pop_back();
  EXPECT_EQ(rebuild(pair.deployed, bad).error().code, Code::invalid);
  bad = good;
  bad.pop_back();
  EXPECT_EQ(rebuild(pair.deployed, bad).error().code, Code::invalid);
  Weights broken = pair.deployed;
  broken[0].values[0] = std::numeric_limits<float>::quiet_NaN();
  Update moved = good;
  moved[0].steps[0] = 1;
  EXPECT_EQ(rebuild(broken, moved).error().code, Code::invalid);
}

// What training presses on is what the coder takes, near enough to steer by.
TEST(Rate, IsNearToWhatTheCoderTakes) {
  const Pair pair;
  Update nothing;
  for (const Tensor& tensor : pair.deployed) nothing.push_back({tensor.name});
  const std::uint64_t least = *pair.file.wire_bytes(nothing);
  Update update = nothing;
  std::mt19937_64 random(6);
  TensorUpdate& change = update[2];
  const std::size_t elements = pair.deployed[2].values.size();
  Group group{static_cast<double>(elements)};
  change.scale = 5;
  for (std::size_t e = 0; e < elements; ++e) {
    const auto size = static_cast<std::int32_t>(random() % 10 == 0 ? 1 + std::countr_zero(random() | 256) : 0);
    change.steps.push_back(random() % 2 == 0 ? size : -size);
    group.nonzero += size != 0;
    group.sum += size;
  }
  const double estimated = rate_of(group).total(group) / 8;
  const double taken = static_cast<double>(*pair.file.wire_bytes(update) - least);
  EXPECT_NEAR(taken / estimated, 1.0, 0.08);
}

}  // namespace
}  // namespace hone::trainer::wire_training
