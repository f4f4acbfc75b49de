#include "curve_chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "columns.hpp"

namespace hone::app {
namespace {

constexpr std::size_t kChartColumnsMin = 6;
constexpr std::size_t kGap = 2;  // between two blocks

// Dots that are set, `across` x `down`.
class Dots {
 public:
  Dots(std::size_t across, std::size_t down) : across_(across), down_(down), set_(across * down) {}
  void set(std::size_t x, std::size_t y) { set_[y * across_ + x] = true; }
  void vertical(std::size_t x, std::size_t from, std::size_t to) {
    for (std::size_t y = std::min(from, to); y <= std::max(from, to); ++y) set(x, y);
  }
  [[nodiscard]] bool at(std::size_t x, std::size_t y) const { return set_[y * across_ + x]; }
  [[nodiscard]] std::size_t across() const { return across_; }
  [[nodiscard]] std::size_t down() const { return down_; }

 private:
  std::size_t across_, down_;
  std::vector<bool> set_;
};

std::string utf8_of(std::uint32_t code) {  // of U+0800 to U+FFFF
  return {static_cast<char>(0xE0U | (code >> 12)), static_cast<char>(0x80U | ((code >> 6) & 0x3FU)), static_cast<char>(0x80U | (code & 0x3FU))};
}

// Unicode's braille patterns: a cell is 2 x 4 dots, numbered down the left side, down the right, then the last row.
std::string braille(const Dots& dots, std::size_t column, std::size_t row) {
  constexpr std::array<std::array<std::uint32_t, 2>, 4> kBits{{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}};
  std::uint32_t bits = 0;
  for (std::size_t y = 0; y < 4; ++y)
    for (std::size_t x = 0; x < 2; ++x)
      if (dots.at(2 * column + x, 4 * row + y)) bits |= kBits[y][x];
  return bits == 0 ? " " : utf8_of(0x2800 + bits);
}

struct Range {
  double low = 0, high = 0;
  bool any = false;
};

Range range_of(const std::vector<double>& values) {
  Range range;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    range = range.any ? Range{std::min(range.low, value), std::max(range.high, value), true} : Range{value, value, true};
  }
  return range;
}

// The curve through the values: one column of dots after another, joined where both neighbours are numbers.
void plot(const std::vector<double>& values, const Range& range, Dots& dots) {
  const auto dot_of = [&](double value) {
    const double share = range.high > range.low ? (value - range.low) / (range.high - range.low) : 0.5;
    return dots.down() - 1 - static_cast<std::size_t>(std::lround(share * static_cast<double>(dots.down() - 1)));
  };
  const std::size_t last = values.size() - 1;
  bool joined = false;
  std::size_t before = 0;
  for (std::size_t x = 0; x < dots.across(); ++x) {
    const double place = dots.across() == 1 ? 0 : static_cast<double>(x) * static_cast<double>(last) / static_cast<double>(dots.across() - 1);
    const auto left = static_cast<std::size_t>(place);
    const double right_share = place - static_cast<double>(left);
    const double value = right_share == 0 ? values[left] : values[left] * (1 - right_share) + values[left + 1] * right_share;
    if (!std::isfinite(value)) {
      joined = false;
      continue;
    }
    const std::size_t y = dot_of(value);
    // Towards the dot before, but not onto it: lines stay thin.
    const std::size_t from = !joined || before == y ? y : before < y ? before + 1 : before - 1;
    dots.vertical(x, from, y);
    before = y;
    joined = true;
  }
}

std::string number(double value) {
  std::array<char, 32> text{};
  const double size = std::abs(value);
  const char* format = size != 0 && (size >= 1e5 || size < 1e-3) ? "%.2e" : size >= 100 ? "%.1f" : "%.4f";
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string right_aligned(const std::string& text, std::size_t columns) {
  return std::string(columns - std::min(columns, columns_of(text)), ' ') + text;
}

}  // namespace

std::vector<std::string> curve_chart(std::string_view title, const std::vector<double>& values, std::size_t columns, std::size_t rows,
                                     Glyphs glyphs) {
  const Range range = range_of(values);
  const std::string high = std::string(title) + "  " + number(range.high), low = number(range.low);
  const std::size_t axis = std::max(columns_of(high), columns_of(low));
  if (!range.any || rows == 0 || columns < axis + 2 + kChartColumnsMin) return {};
  const std::size_t width = columns - axis - 2;

  Dots dots(glyphs.utf8 ? 2 * width : width, glyphs.utf8 ? 4 * rows : rows);
  plot(values, range, dots);
  std::vector<std::string> lines;
  for (std::size_t row = 0; row < rows; ++row) {
    const bool first = row == 0, last = row + 1 == rows;
    const bool labelled = first || (last && range.high > range.low);
    std::string line = right_aligned(first ? high : labelled ? low : "", axis);
    line += glyphs.utf8 ? (labelled ? " ┤" : " │") : " |";
    for (std::size_t column = 0; column < width; ++column)
      line += glyphs.utf8 ? braille(dots, column, row) : dots.at(column, row) ? "*" : " ";
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> beside(const std::vector<std::string>& left, const std::vector<std::string>& right, std::size_t columns) {
  std::size_t left_width = 0, right_width = 0;
  for (const auto& line : left) left_width = std::max(left_width, columns_of(line));
  for (const auto& line : right) right_width = std::max(right_width, columns_of(line));
  std::vector<std::string> lines = left;
  if (left_width + kGap + right_width > columns) {
    lines.insert(lines.end(), right.begin(), right.end());
    return lines;
  }
  lines.resize(std::max(left.size(), right.size()));
  for (std::size_t i = 0; i < right.size(); ++i) {
    lines[i] += std::string(left_width + kGap - columns_of(lines[i]), ' ') + right[i];
  }
  return lines;
}

}  // namespace hone::app
