#include <gtest/gtest.h>

#include "platform/sim/sim.hpp"

namespace hone::platform {
namespace {

TEST(SimRandom, IsSplitmix64) {
  SimRandom random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317U);  // the reference sequence of that seed
  EXPECT_EQ(random.next(), 3203168211198807973U);
}

TEST(SimRandom, RepeatsItselfForASeedOnly) {
  SimRandom a(7), b(7), c(8);
  const std::string first = a.hex(37);
  EXPECT_EQ(first, b.hex(37));
  EXPECT_NE(first, c.hex(37));
  EXPECT_NE(first, a.hex(37));
}

TEST(SimRandom, IsUniformBelowOne) {
  SimRandom random(3);
  double sum = 0;
  for (int i = 0; i < 10000; ++i) {
    const double x = random.uniform();
    ASSERT_GE(x, 0.0);
    ASSERT_LT(x, 1.0);
    sum += x;
  }
  EXPECT_NEAR(sum / 10000, 0.5, 0.02);
}

TEST(SimClock, MovesOnlyWhenTold) {
  SimClock clock(from_unix_ms(1000));
  EXPECT_EQ(clock.now(), clock.now());
  clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(unix_ms(clock.now()), 3000);
}

}  // namespace
}  // namespace hone::platform
