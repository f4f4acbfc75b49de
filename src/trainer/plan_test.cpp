#include "trainer/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trainer/testing_rows.hpp"

namespace hone::trainer {
namespace {

using namespace testing;
using ::testing::HasSubstr;

TEST(Plan, FollowsShapesThroughADigitReader) {
  const auto plan = plan_network(signal({1, 28, 28}, 10), {conv(16, 3), relu(), maxpool(2), conv(32, 3), relu(),
                                                           maxpool(2), dense(128), relu(), dense(10)});
  ASSERT_TRUE(plan) << plan.error().context;
  EXPECT_EQ(plan->layers[2].output, (Shape{16, 14, 14}));
  EXPECT_EQ(plan->layers[5].output, (Shape{32, 7, 7}));
  EXPECT_TRUE(plan->layers[6].flatten);
  EXPECT_FALSE(plan->layers[8].flatten);
  EXPECT_EQ(plan->parameters(), 206922);
  EXPECT_EQ(plan->multiplications(), 28 * 28 * 144 + 14 * 14 * 4608 + 200704 + 1280);
  EXPECT_EQ(plan->tensors()[0].name, "layers.0.weight");
  EXPECT_EQ(plan->tensors()[0].shape, (Shape{16, 1, 3, 3}));
  EXPECT_EQ(plan->tensors()[7].name, "layers.8.bias");
}

TEST(Plan, NamesTheLayerThatDoesNotFit) {
  const auto window = plan_network(signal({1, 4, 4}, 2), {conv(2, 3), maxpool(2), maxpool(3), dense(2)});
  ASSERT_FALSE(window);
  EXPECT_THAT(window.error().context, HasSubstr("layer 3 'maxpool 3' would need at least 3x3 input, gets 2x2"));
  const auto flat = plan_network(signal({16}, 2), {maxpool(2), dense(2)});
  ASSERT_FALSE(flat);
  EXPECT_THAT(flat.error().context, HasSubstr("[channels, height, width]"));
}

TEST(Plan, AsksForOneScoreALabel) {
  const auto narrow = plan_network(signal({8}, 4), {dense(3)});
  ASSERT_FALSE(narrow);
  EXPECT_THAT(narrow.error().context, HasSubstr("must be 'dense 4'"));
  EXPECT_FALSE(plan_network(signal({8}, 4), {dense(4), relu()}));
  EXPECT_FALSE(plan_network(signal({8}, 0), {dense(4)}));
  EXPECT_FALSE(plan_network(signal({8}, 4), {}));
}

TEST(Plan, RefusesANetworkTooLargeToHold) {
  const auto huge = plan_network(signal({1 << 20}, 2), {dense(1 << 20), dense(2)});
  ASSERT_FALSE(huge);
  EXPECT_THAT(huge.error().context, HasSubstr("layer 1 'dense 1048576' brings the model to more than"));
}

}  // namespace
}  // namespace hone::trainer
