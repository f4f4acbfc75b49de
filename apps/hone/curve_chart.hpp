// A small chart of one curve in text: braille dots, or '*' in ASCII.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "progress_bar.hpp"

namespace hone::app {

// `rows` lines of at most `columns` columns, the axis with the curve's largest and smallest value at the left. Values
// that are no numbers leave a gap. Empty when no value is a number, or there is no room (16 columns, 1 row).
//
//   loss  2.3012 ┤⢣
//                │⠈⢆⡀
//         0.0412 ┤ ⠈⠒⠤⠤⠄
[[nodiscard]] std::vector<std::string> curve_chart(std::string_view title, const std::vector<double>& values, std::size_t columns,
                                                   std::size_t rows, Glyphs glyphs);

// Two blocks of lines side by side where they fit into `columns`, else one below the other.
[[nodiscard]] std::vector<std::string> beside(const std::vector<std::string>& left, const std::vector<std::string>& right,
                                              std::size_t columns);

}  // namespace hone::app
