#include "cloud/dataset/split.hpp"

#include <gtest/gtest.h>

namespace hone::cloud {
namespace {

Bytes sample(std::uint32_t number) {
  return {static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(number >> 8),
          static_cast<std::uint8_t>(number >> 16), 7};
}

TEST(Split, SendsAboutTheFractionToTheHoldout) {
  for (const double fraction : {0.02, 0.1, 0.5}) {
    int holdout = 0;
    for (std::uint32_t i = 0; i < 20000; ++i) {
      const Bytes x = sample(i);
      if (part_of({SplitBy::content, fraction}, {x, "dev", 0}) == Part::holdout) ++holdout;
    }
    EXPECT_NEAR(holdout / 20000.0, fraction, 0.01);
  }
}

TEST(Split, DependsOnNothingButTheSample) {
  for (std::uint32_t i = 0; i < 200; ++i) {
    const Bytes x = sample(i);
    EXPECT_EQ(part_of({}, {x, "dev-1", 5}), part_of({}, {x, "dev-2", 99}));
  }
}

TEST(Split, KeepsHoldoutRowsWhenTheFractionGrows) {
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const Bytes x = sample(i);
    if (part_of({SplitBy::content, 0.1}, {x, "", 0}) == Part::holdout) {
      EXPECT_EQ(part_of({SplitBy::content, 0.2}, {x, "", 0}), Part::holdout);
    }
  }
}

TEST(Split, HonoursTheEnds) {
  const Bytes x = sample(1);
  EXPECT_EQ(part_of({SplitBy::content, 0.0}, {x, "", 0}), Part::training);
  EXPECT_EQ(part_of({SplitBy::content, 1.0}, {x, "", 0}), Part::holdout);
}

}  // namespace
}  // namespace hone::cloud
