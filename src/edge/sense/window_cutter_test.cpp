#include "edge/sense/window_cutter.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <optional>

namespace hone::edge {
namespace {

const Time kBegin = from_unix_ms(1'800'000'000'000);

wire::Signal signal(std::int64_t channels, std::int64_t window) {
  wire::Signal result;
  result.shape = {channels, window};
  if (channels == 1) result.shape = {window};
  result.dtype = wire::DType::int16;
  return result;
}

// Reading number i is i on the first channel, 100 + i on the second.
Bytes readings(std::int64_t channels, int from, int to) {
  Bytes bytes;
  for (int i = from; i < to; ++i)
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto value = static_cast<std::int16_t>(i + 100 * c);
      const auto* raw = reinterpret_cast<const std::uint8_t*>(&value);
      bytes.insert(bytes.end(), raw, raw + 2);
    }
  return bytes;
}

std::vector<std::int16_t> values(ByteView window) {
  std::vector<std::int16_t> result(window.size() / 2);
  std::memcpy(result.data(), window.data(), window.size());
  return result;
}

struct Cut {
  std::vector<std::int16_t> values;
  std::int64_t t_ms = 0;  // after kBegin
};

// Hands over `bytes` and goes on until they are taken.
std::vector<Cut> all(WindowCutter& cutter, const Bytes& bytes, Time at) {
  std::vector<Cut> result;
  for (ByteView rest = bytes; !rest.empty();) {
    const auto taken = cutter.take(rest, at);
    EXPECT_GT(taken.bytes, 0u);
    if (taken.complete) result.push_back({values(cutter.window()), unix_ms(cutter.at()) - unix_ms(kBegin)});
    rest = rest.subspan(taken.bytes);
  }
  return result;
}

std::vector<std::int16_t> counted(int from, int to) {
  std::vector<std::int16_t> result;
  for (int i = from; i < to; ++i) result.push_back(static_cast<std::int16_t>(i));
  return result;
}

TEST(WindowCutter, CutsOverlappingWindowsHoweverManyReadingsComeAtATime) {
  for (const int step : {1, 2, 3, 7, 40}) {
    WindowCutter cutter({8, 3, 1000}, signal(1, 8));
    std::vector<Cut> cuts;
    for (int from = 0; from < 40; from += step) {
      const int to = std::min(40, from + step);
      const auto some = all(cutter, readings(1, from, to), kBegin + Duration(to - 1));
      cuts.insert(cuts.end(), some.begin(), some.end());
    }
    ASSERT_EQ(cuts.size(), 11u) << step;
    for (int i = 0; i < 11; ++i) {
      EXPECT_EQ(cuts[static_cast<std::size_t>(i)].values, counted(3 * i, 3 * i + 8)) << step;
      EXPECT_EQ(cuts[static_cast<std::size_t>(i)].t_ms, 3 * i + 7) << "the time of its last reading, " << step;
    }
  }
}

TEST(WindowCutter, PutsChannelsBehindEachOther) {
  WindowCutter cutter({3, 3, 10}, signal(2, 3));
  const auto cuts = all(cutter, readings(2, 0, 7), kBegin);
  ASSERT_EQ(cuts.size(), 2u);
  EXPECT_EQ(cuts[1].values, (std::vector<std::int16_t>{3, 4, 5, 103, 104, 105}));
}

TEST(WindowCutter, LeavesReadingsOutBetweenWindowsThatStandApart) {
  WindowCutter cutter({2, 5, 10}, signal(1, 2));
  const auto cuts = all(cutter, readings(1, 0, 12), kBegin);
  ASSERT_EQ(cuts.size(), 3u);
  EXPECT_EQ(cuts[2].values, counted(10, 12));
}

TEST(WindowCutter, LetsGoOfWindowsThatHoldAGap) {
  WindowCutter cutter({4, 1, 1000}, signal(1, 4));
  EXPECT_EQ(all(cutter, readings(1, 0, 4), kBegin).size(), 1u);
  // An hour later: the three windows that hold both sides of it are none.
  const auto cuts = all(cutter, readings(1, 4, 9), kBegin + std::chrono::hours(1));
  ASSERT_EQ(cuts.size(), 2u);
  EXPECT_EQ(cuts[0].values, counted(4, 8));
}

TEST(WindowCutter, BeginsAnewWhenTheClockIsSetBack) {
  WindowCutter cutter({4, 4, 1000}, signal(1, 4));
  EXPECT_TRUE(all(cutter, readings(1, 0, 3), kBegin).empty());
  const auto cuts = all(cutter, readings(1, 10, 14), kBegin - std::chrono::hours(1));
  ASSERT_EQ(cuts.size(), 1u);
  EXPECT_EQ(cuts[0].values, counted(10, 14));
}

// The split of data by blocks of time rests on this: no window began earlier than its reach before its time.
TEST(WindowCutter, TakesARecordingFasterThanItWasMadeWithTimesThatNeverGoBack) {
  const wire::Stream stream{8, 2, 100};
  WindowCutter cutter(stream, signal(1, 8));
  std::int64_t last = -1000;  // the first readings came half a second before they were handed over
  std::size_t count = 0;
  for (int from = 0; from < 4000; from += 50) {  // half a second of readings each millisecond
    for (const Cut& cut : all(cutter, readings(1, from, from + 50), kBegin + Duration(from / 50))) {
      EXPECT_GE(cut.t_ms, last);
      last = cut.t_ms;
      ++count;
    }
  }
  EXPECT_EQ(count, 1997u);
}

}  // namespace
}  // namespace hone::edge
