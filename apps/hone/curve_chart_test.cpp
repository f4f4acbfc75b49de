#include "curve_chart.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "columns.hpp"

namespace hone::app {
namespace {

constexpr Glyphs kAscii{false}, kUtf8{true};
using Lines = std::vector<std::string>;

TEST(CurveChart, DrawsALineFromItsLargestValueToItsSmallest) {
  EXPECT_EQ(curve_chart("loss", {3, 2, 1, 0}, 21, 4, kAscii), (Lines{
                                                                  "loss  3.0000 |**",
                                                                  "             |  **",
                                                                  "             |    **",
                                                                  "      0.0000 |      *",
                                                              }));
  EXPECT_EQ(curve_chart("m", {0, 1}, 19, 1, kUtf8), (Lines{"m  1.0000 ┤⣀⡠⠤⠤⠒⠒⠊⠉"}));
}

TEST(CurveChart, AJumpIsAVerticalLine) {
  EXPECT_EQ(curve_chart("a", {0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9}, 22, 3, kAscii), (Lines{
                                                                                    "a  9.0000 |      *****",
                                                                                    "          |      *",
                                                                                    "   0.0000 |******",
                                                                                }));
}

TEST(CurveChart, WhatIsNoNumberLeavesAGap) {
  const double none = std::nan("");
  EXPECT_EQ(curve_chart("a", {1, 1, none, none, 1, 1}, 17, 1, kAscii), (Lines{"a  1.0000 |**  **"}));
  EXPECT_TRUE(curve_chart("a", {none, none}, 40, 4, kAscii).empty());
  EXPECT_TRUE(curve_chart("a", {}, 40, 4, kAscii).empty());
}

TEST(CurveChart, StaysWithinItsRoom) {
  std::vector<double> values;
  for (int i = 0; i < 300; ++i) values.push_back(std::sin(i / 20.0) * std::pow(10, i % 9 - 4));
  for (const Glyphs glyphs : {kAscii, kUtf8})
    for (std::size_t columns = 0; columns < 120; ++columns)
      for (std::size_t rows = 0; rows < 5; ++rows) {
        const Lines lines = curve_chart("metric", values, columns, rows, glyphs);
        EXPECT_TRUE(lines.empty() || lines.size() == rows);
        for (const auto& line : lines) EXPECT_LE(columns_of(line), columns);
      }
}

TEST(Beside, PutsTwoBlocksSideBySideWhereTheyFit) {
  EXPECT_EQ(beside({"ab", "c"}, {"x", "yz", "w"}, 6), (Lines{"ab  x", "c   yz", "    w"}));
  EXPECT_EQ(beside({"ab"}, {"xyz"}, 6), (Lines{"ab", "xyz"}));
  EXPECT_EQ(beside({}, {"xyz"}, 6), (Lines{"  xyz"}));
}

}  // namespace
}  // namespace hone::app
