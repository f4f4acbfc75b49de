#include "trainer/quantise/int8.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace hone::trainer {
namespace {

TEST(GridScale, IsTheNextPowerOfTwo) {
  for (float exact = 1e-6F; exact < 1e3F; exact *= 1.07F) {
    const float scale = grid_scale(exact);
    EXPECT_GE(scale, exact);
    EXPECT_LT(scale, exact * 2) << exact;
    EXPECT_EQ(grid_scale(scale), scale) << "what stands on the grid stays";
    EXPECT_EQ(std::exp2(std::round(std::log2(scale))), scale);
  }
  EXPECT_EQ(grid_scale(0.25F), 0.25F);
  EXPECT_EQ(grid_scale(0), 1);
}

TEST(Int8Weights, StayWithinHalfAStepAndBelowSixtyFour) {
  const std::vector<float> values{0.5F, -1.0F, 0.013F, 0.F, 200.F, -3.F, 1e-3F, 7.F};
  const Int8Weights int8 = int8_weights(values, std::vector<float>(2, 0.F));
  ASSERT_EQ(int8.scales.size(), 2U);
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_LE(std::abs(int8.steps[i]), kWeightStepMax);
    EXPECT_NEAR(static_cast<float>(int8.steps[i]) * int8.scales[i / 4], values[i], int8.scales[i / 4] * 0.5001F) << i;
  }
}

TEST(Int8Weights, AChannelWhoseLargestWeightMovesALittleKeepsItsSteps) {
  std::vector<float> values;
  for (int i = 0; i < 100; ++i) values.push_back(std::sin(static_cast<float>(i)) * 0.93F);
  const std::vector<float> none(1, 0.F);
  const Int8Weights before = int8_weights(values, none);
  for (float& value : values) value *= 1.004F;
  const Int8Weights after = int8_weights(values, none);
  EXPECT_EQ(after.scales, before.scales);
  int moved = 0;
  for (std::size_t i = 0; i < values.size(); ++i) moved += after.steps[i] != before.steps[i] ? 1 : 0;
  EXPECT_LT(moved, 30) << "with a scale of its own every step would stay, and every value change";
}

TEST(Int8Weights, LeaveRoomForTheBiasOfAChannelThatIsNearlyDead) {
  const float bias = 3.F, activation = 0.01F;
  const std::vector<float> smallest{smallest_scale_for(bias, activation)};
  const Int8Weights int8 = int8_weights(std::vector<float>{1e-20F, -1e-20F}, smallest);
  const float product = activation * int8.scales[0];
  EXPECT_NEAR(static_cast<double>(bias_steps(bias, product)) * product, bias, 1e-6);
}

TEST(ActivationScale, HoldsZeroExactlyAndBothEnds) {
  for (const auto& [low, high] : {std::pair{0.F, 6.F}, {-1.F, 3.F}, {-5.F, -1.F}, {2.F, 9.F}}) {
    const ActivationScale found = activation_scale(low, high);
    const auto value = [&, scale = found.scale, zero = found.zero](int byte) { return scale * static_cast<float>(byte - zero); };
    EXPECT_LE(value(0), std::min(low, 0.F) + found.scale);
    EXPECT_GE(value(255), std::max(high, 0.F) - found.scale);
    EXPECT_EQ(value(found.zero), 0.F);
  }
  EXPECT_EQ(activation_scale(0, 6).zero, 0) << "behind a relu no byte is lost to negative values";
  EXPECT_EQ(activation_scale(0, 0).scale, 1);
}

}  // namespace
}  // namespace hone::trainer
