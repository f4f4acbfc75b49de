// Which budgets are tried, which update is worth sending, and how a tensor may change.
#include "trainer/wire/curve.hpp"

#include <gtest/gtest.h>

#include "trainer/testing_rows.hpp"
#include "trainer/wire/parts.hpp"
#include "trainer/wire/pressure.hpp"

namespace hone::trainer::wire_training {
namespace {

using namespace testing;

TEST(Curve, TriesTheBudgetAndWhatLiesBelowIt) {
  constexpr std::uint64_t kFull = 827'688;
  EXPECT_EQ(budgets_below(8'276, kFull), (std::vector<std::uint64_t>{8'276, 4'138, 2'069, 827}));
  EXPECT_EQ(budgets_below(100'000, kFull), (std::vector<std::uint64_t>{100'000, 33'107, 16'553, 8'276, 4'138, 2'069, 827}));
  // A percent of the file is a little more than one of its weights: no second point for that.
  EXPECT_EQ(budgets_below(8'294, kFull), (std::vector<std::uint64_t>{8'294, 4'138, 2'069, 827}));
  EXPECT_EQ(budgets_below(500, kFull), (std::vector<std::uint64_t>{500}));
}

TEST(Curve, ChoosesTheCheapestThatKeepsEnoughOfTheGain) {
  const std::vector<CurvePoint> points{{8'000, 7'900, 0.989}, {4'000, 3'950, 0.988}, {2'000, 1'990, 0.98}};
  EXPECT_EQ(cheapest_that_keeps(points, 0.97, 0.99, 0.9), 1u);
  EXPECT_EQ(cheapest_that_keeps(points, 0.97, 0.99, 0.5), 2u);
  EXPECT_EQ(cheapest_that_keeps(points, 0.97, 0.99, 0.95), 0u);
  EXPECT_EQ(cheapest_that_keeps(points, 0.97, 0.99, 1.0), std::nullopt);
  EXPECT_EQ(cheapest_that_keeps({}, 0.97, 0.99, 0.9), std::nullopt);
}

TEST(Curve, WhereFreeTrainingGainedNothingItIsEnoughToBeNoWorse) {
  EXPECT_TRUE(keeps(0.96, 0.97, 0.96, 0.9));
  EXPECT_FALSE(keeps(0.959, 0.97, 0.96, 0.9));
}

TEST(Parts, LargeTensorsGetProductsOfAsManyComponentsAsTheBudgetPaysFor) {
  const Plan plan = *plan_network(signal({1, 28, 28}, 10), {conv(16, 3), relu(), maxpool(2), conv(32, 3), relu(), maxpool(2),
                                                            dense(128), relu(), dense(10)});
  const auto large = parts_for(plan, 8'000);
  ASSERT_EQ(large.size(), 8u);
  EXPECT_TRUE(large[0].lattice);
  EXPECT_TRUE(large[2].lattice);
  EXPECT_FALSE(large[4].lattice);
  EXPECT_EQ(large[4].rows, 128u);
  EXPECT_EQ(large[4].columns, 1'568u);
  const auto small = parts_for(plan, 1'000);
  EXPECT_FALSE(small[2].lattice);  // a convolution, as a matrix
  EXPECT_EQ(small[2].columns, 144u);
  EXPECT_LT(small[4].rank, large[4].rank);
  EXPECT_GE(small[4].rank, 1u);
  EXPECT_LE(parts_for(plan, 90'000)[4].rank, 32u);
  EXPECT_TRUE(parts_for(plan, 900'000)[4].lattice);
  for (const std::size_t bias : {1, 3, 5, 7}) EXPECT_TRUE(small[bias].lattice) << bias;
}

// Bits that answer to the price: the controller finds the one that leads to the budget.
TEST(Pressure, LeadsToTheBudget) {
  const double budget = 20'000;
  double bits = 100'000;
  Pressure pressure(bits, budget);
  for (int step = 0; step < 400; ++step) {
    const double price = pressure.next(bits, step / 400.0);
    const double wanted = 100'000 / (1 + price * 1e6);  // what training would come to at this price
    bits += 0.1 * (wanted - bits);
  }
  EXPECT_NEAR(bits / budget, 1.0, 0.05);
}

}  // namespace
}  // namespace hone::trainer::wire_training
