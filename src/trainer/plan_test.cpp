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
  EXPECT_EQ(plan->layers[2].output, (Shape{16, 13, 13}));
  EXPECT_EQ(plan->layers[5].output, (Shape{32, 5, 5}));
  EXPECT_TRUE(plan->layers[6].flatten);
  EXPECT_FALSE(plan->layers[8].flatten);
  EXPECT_EQ(plan->parameters(), 160 + 4640 + 102528 + 1290);
  EXPECT_EQ(plan->multiplications(), 26 * 26 * 144 + 11 * 11 * 4608 + 102400 + 1280);
  EXPECT_EQ(plan->tensors()[0].name, "layers.0.weight");
  EXPECT_EQ(plan->tensors()[0].shape, (Shape{16, 1, 3, 3}));
  EXPECT_EQ(plan->tensors()[7].name, "layers.8.bias");
}

TEST(Plan, NamesTheLayerThatDoesNotFit) {
  const auto kernel = plan_network(signal({1, 4, 4}, 2), {conv(2, 3), relu(), conv(2, 3), dense(2)});
  ASSERT_FALSE(kernel);
  EXPECT_THAT(kernel.error().context, HasSubstr("entry 3: the kernel is larger than its input [2, 2, 2]"));
  const auto flat = plan_network(signal({16}, 2), {maxpool(2), dense(2)});
  ASSERT_FALSE(flat);
  EXPECT_THAT(flat.error().context, HasSubstr("entry 1: a pool needs [channels, height, width]"));
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
  EXPECT_THAT(huge.error().context, HasSubstr("entry 1: the network is larger than"));
}

}  // namespace
}  // namespace hone::trainer
