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
      if (part_of({fraction, {}}, {x, "dev", 0}) == Part::holdout) ++holdout;
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
    if (part_of({0.1, {}}, {x, "", 0}) == Part::holdout) {
      EXPECT_EQ(part_of({0.2, {}}, {x, "", 0}), Part::holdout);
    }
  }
}

TEST(Split, HonoursTheEnds) {
  const Bytes x = sample(1);
  EXPECT_EQ(part_of({0.0, {}}, {x, "", 0}), Part::training);
  EXPECT_EQ(part_of({1.0, {}}, {x, "", 0}), Part::holdout);
}

// Windows of four readings of 25 ms, one of them each 25 ms, so that three in four readings are in the next one too.
TEST(Split, WindowsOfAStreamThatOverlapNeverStandOnBothSides) {
  const SplitRule rule{0.3, wire::time_blocks({4, 1, 40})};
  const std::int64_t window_ms = 4 * 25;
  std::optional<Part> last;
  std::int64_t last_ms = 0;
  int changes = 0, neither = 0;
  for (std::int64_t t = 1'800'000'000'000; t < 1'800'000'000'000 + 600'000; t += 25) {
    const Bytes x = sample(static_cast<std::uint32_t>(t));
    const auto part = part_of(rule, {x, "dev-1", t});
    if (!part) {
      ++neither;
      continue;
    }
    if (last && *last != *part) {
      ++changes;
      EXPECT_GT(t - last_ms, window_ms) << "these two share readings";
    }
    last = part;
    last_ms = t;
  }
  EXPECT_GT(changes, 20);
  EXPECT_GT(neither, 0);
}

TEST(Split, OfAStreamDoesNotDependOnTheContentNorOnWhatComesLater) {
  const SplitRule rule{0.3, wire::time_blocks({4, 1, 40})};
  for (std::uint32_t i = 0; i < 200; ++i) {
    const Bytes x = sample(i), y = sample(i + 1);
    EXPECT_EQ(part_of(rule, {x, "dev-1", 37 * i}), part_of(rule, {y, "dev-1", 37 * i}));
  }
}

}  // namespace
}  // namespace hone::cloud
