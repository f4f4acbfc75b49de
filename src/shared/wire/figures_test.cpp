#include "shared/wire/figures.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "shared/wire/npy.hpp"

namespace hone::wire {
namespace {

using ::testing::HasSubstr;

template <class T>
Bytes npy(std::string_view descr, const std::vector<std::int64_t>& shape, const std::vector<T>& values) {
  Bytes file = npy_header(descr, shape);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(values.data());
  file.insert(file.end(), bytes, bytes + values.size() * sizeof(T));
  return file;
}

std::string refusal(const Bytes& file, std::int64_t rows) {
  const auto figures = figures_from_npy(file, rows);
  return figures ? "accepted" : figures.error().context;
}

TEST(Figures, AreReadInBothWidths) {
  EXPECT_EQ(*figures_from_npy(npy<double>("<f8", {3}, {0.1, -2, 1e300}), 3), (std::vector<double>{0.1, -2, 1e300}));
  EXPECT_EQ(*figures_from_npy(npy<float>("<f4", {2}, {0.5F, -0.25F}), 2), (std::vector<double>{0.5, -0.25}));
  EXPECT_TRUE(figures_from_npy(npy<double>("<f8", {0}, {}), 0)->empty());
}

TEST(Figures, OfTheLargestFileFitItsBound) {
  EXPECT_LE(npy<double>("<f8", {1000}, std::vector<double>(1000)).size(), figures_bytes_max(1000));
}

TEST(Figures, ThatAreNoneAreRefusedWithASentence) {
  EXPECT_THAT(refusal(npy<double>("<f8", {2}, {1, 2}), 3), HasSubstr("there are 2 figures for 3 holdout rows"));
  EXPECT_THAT(refusal(npy<double>("<f8", {2}, {1, std::numeric_limits<double>::quiet_NaN()}), 2),
              HasSubstr("the figure of holdout row 1 is NaN or infinite"));
  EXPECT_THAT(refusal(npy<float>("<f4", {1}, {std::numeric_limits<float>::infinity()}), 1), HasSubstr("row 0 is NaN"));
  EXPECT_THAT(refusal(npy<double>("<f8", {2, 1}, {1, 2}), 2), HasSubstr("2 axes"));
  EXPECT_THAT(refusal(npy<std::int64_t>("<i8", {1}, {1}), 1), HasSubstr("<f4 or <f8"));
  EXPECT_THAT(refusal(to_bytes("0.5 0.25"), 2), HasSubstr(".npy"));
  Bytes cut = npy<double>("<f8", {2}, {1, 2});
  cut.pop_back();
  EXPECT_THAT(refusal(cut, 2), HasSubstr("its size and its shape disagree"));
}

}  // namespace
}  // namespace hone::wire
