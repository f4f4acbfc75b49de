#include "cloud/gate/look.hpp"

#include <gtest/gtest.h>

namespace hone::cloud {
namespace {

TEST(Look, CountsOnAHoldoutUntilItHasGrownByHalf) {
  std::optional<Look> look;
  const auto see = [&look](std::int64_t rows) { return (look = next_look(look, rows))->number; };
  EXPECT_EQ(see(1000), 1);
  EXPECT_EQ(see(1000), 2);
  EXPECT_EQ(see(1499), 3);
  EXPECT_EQ(see(1500), 1);
  EXPECT_EQ(see(1600), 2);
  EXPECT_EQ(look->first_rows, 1500);
  EXPECT_EQ(see(2250), 1);
}

TEST(Look, AllTogetherSpendNoMoreThanOneHoldoutsAllowance) {
  double spent = 0;
  for (std::int64_t k = 1; k <= 100'000; ++k) spent += tail_of({k, 100}, 0.95);
  EXPECT_LT(spent, 0.025);
  EXPECT_GT(spent, 0.02499);
  EXPECT_NEAR(tail_of({1, 100}, 0.95), 0.0125, 1e-12);
  EXPECT_NEAR(tail_of({2, 100}, 0.95), 0.025 / 6, 1e-12);
}

TEST(Look, IsReadFromStoredNumbersWhereOneWasTaken) {
  const auto look = look_of({{"look", {{"number", 3}, {"first_rows", 420}}}});
  ASSERT_TRUE(look);
  EXPECT_EQ(look->number, 3);
  EXPECT_EQ(look->first_rows, 420);
  EXPECT_FALSE(look_of({{"error", "cannot be run"}}));
  EXPECT_FALSE(look_of({{"look", nullptr}}));
  EXPECT_FALSE(look_of({{"look", {{"number", 0}, {"first_rows", 420}}}}));
  EXPECT_FALSE(look_of(Json::array()));
}

}  // namespace
}  // namespace hone::cloud
