#include "shared/wire/stream.hpp"

#include <gtest/gtest.h>

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
    // A sixteenth of a block, at borders between two sides.
    EXPECT_NEAR(static_cast<double>(neither) / all, 2 * share * (1 - share) / 16, 0.004);
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

// What was decided is decided for good: these would move rows that were trained on.
TEST(TimeBlocks, NeverChange) {
  EXPECT_EQ(time_blocks({256, 64, 360}), (TimeBlocks{1423, 22768}));
  std::string sides;
  for (std::int64_t block = -8; block < 24; ++block)
    sides += *set_apart(kBlocks, "hone.holdout.block.1", "dev-1", block * 1600 + 800, 0.4) ? '1' : '0';
  EXPECT_EQ(sides, "01100101100001111001110101001000");
}

TEST(TimeBlocks, HonourTheEnds) {
  EXPECT_EQ(set_apart(kBlocks, kPurpose, "d", 0, 0), false);
  EXPECT_EQ(set_apart(kBlocks, kPurpose, "d", 0, 1), true);
}

}  // namespace
}  // namespace hone::wire
