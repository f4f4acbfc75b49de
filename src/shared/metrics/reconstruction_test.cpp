#include "shared/metrics/reconstruction.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace hone::metrics {
namespace {

TEST(Reconstruction, SpreadsAreHalfOfWhatMostValuesLieIn) {
  std::vector<float> values;
  for (int row = 0; row <= 10; ++row) values.insert(values.end(), {static_cast<float>(row), 7, row == 10 ? 11.F : 0.F});
  const auto spreads = spreads_of(values, 3);
  ASSERT_EQ(spreads.size(), 3U);
  EXPECT_DOUBLE_EQ(spreads[0], 4);  // from 1 to 9
  EXPECT_DOUBLE_EQ(spreads[1], 1);  // never another value
  EXPECT_NEAR(spreads[2], 3.162, 0.001);  // the deviation: both quantiles are 0
  EXPECT_TRUE(spreads_of({}, 3).empty());
}

TEST(Reconstruction, ExplainedIsOneWithoutAnErrorAndNeverBelowMinusOne) {
  const std::array<float, 2> raw{10, 20};
  const std::array<double, 2> spreads{4, 2};
  const auto figure = [&](float first, float second) {
    const std::array<float, 2> given_back{first, second};
    return explained(raw, 0.5, given_back, spreads);
  };
  EXPECT_EQ(figure(5, 10), 1);
  EXPECT_EQ(figure(6, 10), 1 - 0.25 / 2);  // half of a spread away in one of two elements
  EXPECT_EQ(figure(500, 10), -1);
  EXPECT_EQ(figure(std::numeric_limits<float>::quiet_NaN(), 10), -1);
}

}  // namespace
}  // namespace hone::metrics
