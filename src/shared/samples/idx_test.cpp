#include "shared/samples/idx.hpp"

#include <gtest/gtest.h>

namespace hone::samples {
namespace {

Bytes idx(std::uint8_t type, const std::vector<std::uint32_t>& shape, const Bytes& data) {
  Bytes file{0, 0, type, static_cast<std::uint8_t>(shape.size())};
  for (const std::uint32_t extent : shape)
    for (int shift = 24; shift >= 0; shift -= 8) file.push_back(static_cast<std::uint8_t>(extent >> shift));
  file.insert(file.end(), data.begin(), data.end());
  return file;
}

TEST(Idx, ReadsImages) {
  const auto tensor = parse_idx(idx(0x08, {2, 2, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  ASSERT_TRUE(tensor) << tensor.error().context;
  EXPECT_EQ(tensor->dtype, wire::DType::uint8);
  EXPECT_EQ(tensor->shape, (std::vector<std::int64_t>{2, 2, 3}));
  EXPECT_EQ(tensor->data[11], 11);
}

TEST(Idx, TurnsBigEndianElementsRound) {
  const auto tensor = parse_idx(idx(0x0B, {2}, {0x01, 0x02, 0xFF, 0xFE}));
  ASSERT_TRUE(tensor) << tensor.error().context;
  EXPECT_EQ(tensor->data, (Bytes{0x02, 0x01, 0xFE, 0xFF}));
}

TEST(Idx, AnEmptyOneIsOne) {
  const auto tensor = parse_idx(idx(0x08, {0, 28, 28}, {}));
  ASSERT_TRUE(tensor) << tensor.error().context;
  EXPECT_TRUE(tensor->data.empty());
}

TEST(Idx, RefusesWhatDoesNotFitItsHeader) {
  const Bytes good = idx(0x08, {2, 2}, {1, 2, 3, 4});
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto tensor = parse_idx(ByteView(good).first(size));
    ASSERT_FALSE(tensor) << size;
    EXPECT_EQ(tensor.error().code, Code::invalid);
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(parse_idx(longer));
  EXPECT_FALSE(parse_idx(idx(0x0E, {1}, Bytes(8))));                                        // float64
  EXPECT_FALSE(parse_idx(idx(0x08, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, {1})));  // overflows
  EXPECT_FALSE(parse_idx(idx(0x08, {}, {1})));
}

TEST(Idx, SaysToUnpackAGzipFile) {
  const auto tensor = parse_idx(Bytes{0x1F, 0x8B, 8, 0});
  ASSERT_FALSE(tensor);
  EXPECT_NE(tensor.error().context.find("gunzip"), std::string::npos);
}

}  // namespace
}  // namespace hone::samples
