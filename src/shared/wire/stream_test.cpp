#include "shared/wire/stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

namespace hone::wire {
namespace {

Signal windows_of(std::int64_t channels, std::int64_t window) {
  Signal signal;
  signal.shape = {channels, window};
  if (channels == 1) signal.shape = {window};
  return signal;
}

TEST(Stream, SurvivesTheWire) {
  const Stream stream{256, 64, 360};
  const auto back = stream_from(parse_json(dump_bytes(to_json(stream))).value());
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_EQ(*back, stream);
  EXPECT_EQ(channels_of(stream, windows_of(2, 256)), 2);
  EXPECT_EQ(channels_of(stream, windows_of(1, 256)), 1);
}

TEST(Stream, RefusesWhatCannotBe) {
  for (const char* text : {R"({"window":0,"stride":1,"rate_hz":1})", R"({"window":4,"stride":0,"rate_hz":1})",
                           R"({"window":4,"stride":1,"rate_hz":0})", R"({"window":4,"stride":1,"rate_hz":1e99})",
                           R"({"window":99999999,"stride":1,"rate_hz":1})", R"({"window":4,"stride":1})", R"([])"})
    EXPECT_FALSE(stream_from(parse_json(as_bytes(text)).value())) << text;
  EXPECT_TRUE(check(Stream{4, 1, 1}, windows_of(3, 4)));
  EXPECT_FALSE(check(Stream{4, 1, 1}, windows_of(3, 5)));
  Signal cube;
  cube.shape = {2, 2, 4};
  EXPECT_FALSE(check(Stream{4, 1, 1}, cube));
}

constexpr TimeBlocks kBlocks{100, 1600};
constexpr const char* kPurpose = "a test";

// Windows of at most kBlocks.reach_ms that share a reading: whatever stands on both sides shares none.
TEST(TimeBlocks, WindowsThatOverlapNeverStandOnTwoSides) {
  int pairs = 0, apart = 0;
  for (std::int64_t t = -20'000; t < 200'000; t += 7) {
    const auto side = set_apart(kBlocks, kPurpose, "dev-1", t, 0.3);
    for (std::int64_t later = t + 1; later <= t + kBlocks.reach_ms; later += 13) {
      const auto other = set_apart(kBlocks, kPurpose, "dev-1", later, 0.3);
      ++pairs;
      if (side && other && *side != *other) ++apart;
    }
  }
  EXPECT_GT(pairs, 100'000);
  EXPECT_EQ(apart, 0);
}

TEST(TimeBlocks, SetsAboutTheShareApartAndLosesFewWindows) {
  for (const double share : {0.1, 0.5}) {
    int chosen = 0, neither = 0, all = 0;
    for (std::int64_t t = 0; t < 1600 * 5000; t += 50, ++all) {
      const auto side = set_apart(kBlocks, kPurpose, "dev-1", t, share);
      chosen += side && *side ? 1 : 0;
      neither += side ? 0 : 1;
    }
    EXPECT_NEAR(static_cast<double>(chosen) / all, share, 0.03);
    // A sixteenth of a block, at borders between two sides; blocks that take turns have a few more of them.
    EXPECT_NEAR(static_cast<double>(neither) / all, 2 * share * (1 - share) / 16, 0.006);
  }
}

TEST(TimeBlocks, DependOnTheDeviceAndThePurposeAndNothingElse) {
  std::map<std::string, std::string> sides;
  for (const std::string device : {"dev-1", "dev-2"})
    for (const std::string purpose : {"one", "two"})
      for (std::int64_t block = 0; block < 64; ++block)
        sides[device + purpose] += *set_apart(kBlocks, purpose, device, block * 1600 + 800, 0.5) ? '1' : '0';
  EXPECT_NE(sides["dev-1one"], sides["dev-2one"]);
  EXPECT_NE(sides["dev-1one"], sides["dev-1two"]);
}

std::string sides_of(const std::string& device, std::int64_t from, std::int64_t to, double share) {
  std::string sides;
  for (std::int64_t block = from; block < to; ++block)
    sides += *set_apart(kBlocks, "hone.holdout.block.1", device, block * 1600 + 800, share) ? '1' : '0';
  return sides;
}

TEST(TimeBlocks, EveryTenSetTheirShareApartAndTheirHalvesInTurn) {
  for (int device = 0; device < 200; ++device)
    for (const std::int64_t from : {-20, 0, 10, 170'000'000}) {
      const auto apart = [&](std::int64_t first, std::int64_t blocks, double share) {
        return std::ranges::count(sides_of(std::to_string(device), first, first + blocks, share), '1');
      };
      EXPECT_EQ(apart(from, 10, 0.1), 1) << "device " << device << " from block " << from;
      for (const std::int64_t half : {from, from + 5}) {
        EXPECT_EQ(apart(half, 5, 0.2), 1) << "device " << device << " from block " << half;
        EXPECT_EQ(apart(half, 5, 0.6), 3) << "device " << device << " from block " << half;
      }
    }
}

TEST(TimeBlocks, AGreaterShareOnlyAddsBlocks) {
  std::string before = sides_of("dev-1", 0, 500, 0);
  for (const double share : {0.05, 0.1, 0.25, 0.6, 1.0}) {
    const std::string now = sides_of("dev-1", 0, 500, share);
    for (std::size_t i = 0; i < now.size(); ++i) EXPECT_GE(now[i], before[i]) << share;
    EXPECT_NEAR(static_cast<double>(std::ranges::count(now, '1')) / 500, share, 0.03);
    before = now;
  }
}

// What was decided is decided for good: these would move rows that were trained on.
TEST(TimeBlocks, NeverChange) {
  EXPECT_EQ(time_blocks({256, 64, 360}), (TimeBlocks{1423, 22768}));
  EXPECT_EQ(sides_of("dev-1", -8, 24, 0.4), "01100101110001001001010101001001");
}

TEST(TimeBlocks, HonourTheEnds) {
  EXPECT_EQ(set_apart(kBlocks, kPurpose, "d", 0, 0), false);
  EXPECT_EQ(set_apart(kBlocks, kPurpose, "d", 0, 1), true);
}

}  // namespace
}  // namespace hone::wire
