#include "trainer/rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>

#include "trainer/testing_rows.hpp"

namespace hone::trainer {
namespace {

using namespace testing;

std::set<Bytes> contents(const Rows& rows, const std::vector<std::int64_t>& picked) {
  std::set<Bytes> result;
  for (const std::int64_t row : picked) {
    const ByteView sample = rows.sample(static_cast<std::size_t>(row));
    result.emplace(sample.begin(), sample.end());
  }
  return result;
}

TEST(Split, TakesAboutATenthForValidation) {
  const Split split = split_by_content(four_pairs(20000, 1));
  EXPECT_EQ(split.fit.size() + split.validation.size(), 20000u);
  EXPECT_NEAR(static_cast<double>(split.validation.size()), 2000.0, 200.0);
}

TEST(Split, KeepsASampleOnItsSideAsTheDataGrows) {
  const Rows few = four_pairs(1000, 1);
  Rows more = four_pairs(3000, 2);
  more.x.insert(more.x.end(), few.x.begin(), few.x.end());
  more.y.insert(more.y.end(), few.y.begin(), few.y.end());
  const auto validation = contents(more, split_by_content(more).validation);
  for (const Bytes& sample : contents(few, split_by_content(few).validation)) EXPECT_TRUE(validation.contains(sample));
}

TEST(Split, PutsDuplicatesOnOneSide) {
  Rows rows = four_pairs(500, 3);
  const Bytes x = rows.x;
  const std::vector<std::int64_t> y = rows.y;
  rows.x.insert(rows.x.end(), x.begin(), x.end());
  rows.y.insert(rows.y.end(), y.begin(), y.end());
  const Split split = split_by_content(rows);
  const auto fit = contents(rows, split.fit);
  for (const Bytes& sample : contents(rows, split.validation)) EXPECT_FALSE(fit.contains(sample));
}

TEST(Split, UsesAllRowsForBothWhenThereAreFew) {
  const Split split = split_by_content(four_pairs(12, 4));
  EXPECT_EQ(split.fit.size(), 12u);
  EXPECT_EQ(split.validation.size(), 12u);
  EXPECT_TRUE(split.validates_fitted);
  EXPECT_FALSE(split_by_content(four_pairs(500, 4)).validates_fitted);
}

// Windows of four readings at 100 Hz, a stride of one: neighbours share three readings.
Rows windows(std::size_t count) {
  Rows rows;
  rows.signal.shape = {4};
  rows.signal.dtype = wire::DType::uint8;
  rows.stream = wire::Stream{4, 1, 100};
  for (std::size_t row = 0; row < count; ++row) {
    for (std::size_t i = 0; i < 4; ++i) rows.x.push_back(static_cast<std::uint8_t>(row + i));
    rows.y.push_back(-1);
  }
  return rows;
}

// The least distance, in rows, from one side to the other.
std::int64_t nearest(const Split& split) {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t row : split.validation) {
    const auto after = std::lower_bound(split.fit.begin(), split.fit.end(), row);
    if (after != split.fit.end()) least = std::min(least, *after - row);
    if (after != split.fit.begin()) least = std::min(least, row - *(after - 1));
  }
  return least;
}

TEST(Split, OverlappingWindowsOfAStreamAreNotOnBothSides) {
  const Split split = split_by_content(windows(20'000));
  EXPECT_NEAR(static_cast<double>(split.validation.size()), 2000, 1000);  // 156 blocks
  EXPECT_GT(split.fit.size() + split.validation.size(), 19'000u);
  EXPECT_LT(split.fit.size() + split.validation.size(), 20'000u) << "windows at borders are on neither side";
  EXPECT_GE(nearest(split), 4);
}

TEST(Split, OfAStreamGoesByTheTimesAndDevicesThatTheDatasetTells) {
  Rows rows = windows(4000);
  for (std::int64_t row = 0; row < 4000; ++row) rows.sensed.push_back({10 * (row % 2000), static_cast<std::int32_t>(row / 2000)});
  const Split split = split_by_content(rows);
  Rows first = windows(2000);
  first.sensed.assign(rows.sensed.begin(), rows.sensed.begin() + 2000);
  std::vector<std::int64_t> kept;
  for (const std::int64_t row : split.validation)
    if (row < 2000) kept.push_back(row);
  EXPECT_EQ(kept, split_by_content(first).validation) << "a second device changed the side of the first one's windows";
}

TEST(DropRows, KeepsWhenTheWindowsOfAStreamWereSensed) {
  Rows rows;
  rows.signal.shape = {1};
  rows.signal.dtype = wire::DType::float32;
  rows.stream = wire::Stream{1, 1, 10};
  const float values[] = {1, std::numeric_limits<float>::infinity(), 3};
  rows.x.resize(sizeof values);
  std::memcpy(rows.x.data(), values, sizeof values);
  rows.y = {-1, -1, 0};
  EXPECT_EQ(drop_rows_without_a_number(rows), 1u);
  ASSERT_EQ(rows.sensed.size(), 2u);
  EXPECT_EQ(rows.sensed[1].t_ms, 200);
  EXPECT_EQ(drop_rows_without_a_label(rows), 1u);
  ASSERT_EQ(rows.sensed.size(), 1u);
  EXPECT_EQ(rows.sensed[0].t_ms, 200);
}

TEST(DropRows, WithoutALabel) {
  Rows rows = four_pairs(3, 1);
  const ByteView last = rows.sample(2);
  const Bytes sample(last.begin(), last.end());
  EXPECT_EQ(drop_rows_without_a_label(rows), 0u);
  rows.y = {-1, -1, 3};
  EXPECT_EQ(drop_rows_without_a_label(rows), 2u);
  EXPECT_EQ(rows.y, (std::vector<std::int64_t>{3}));
  EXPECT_EQ(rows.x, sample);
  EXPECT_TRUE(rows.sensed.empty());
}

TEST(DropRows, WithoutANumber) {
  Rows rows;
  rows.signal.shape = {2};
  rows.signal.dtype = wire::DType::float32;
  const float values[] = {1, 2, std::numeric_limits<float>::quiet_NaN(), 3, 4, 5, 6, -std::numeric_limits<float>::infinity()};
  rows.x.resize(sizeof values);
  std::memcpy(rows.x.data(), values, sizeof values);
  rows.y = {0, 1, 2, 3};
  EXPECT_EQ(drop_rows_without_a_number(rows), 2u);
  EXPECT_EQ(rows.y, (std::vector<std::int64_t>{0, 2}));
  ASSERT_EQ(rows.x.size(), 4 * sizeof(float));
  EXPECT_EQ(std::memcmp(rows.x.data() + 2 * sizeof(float), values + 4, 2 * sizeof(float)), 0);
  EXPECT_EQ(drop_rows_without_a_number(rows), 0u);
  Rows bytes = four_pairs(10, 1);
  EXPECT_EQ(drop_rows_without_a_number(bytes), 0u);
}

}  // namespace
}  // namespace hone::trainer
