// One line that says how far something is, for a terminal of a given width.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hone::app {

// What a terminal can show.
struct Glyphs {
  bool utf8 = false;  // else ASCII only
};

// From LC_ALL, LC_CTYPE, LANG, the first that is set.
[[nodiscard]] Glyphs glyphs_of_locale();

// `share` of a bar of exactly `width` columns: eighths of blocks, or '#' and '.' in ASCII.
[[nodiscard]] std::string bar(double share, std::size_t width, Glyphs glyphs);

// "before [bar] after" in at most `width` columns; the bar takes what the texts leave, 40 columns at most, and is
// left out where that is less than 4.
[[nodiscard]] std::string bar_line(std::string_view before, double share, std::string_view after, std::size_t width, Glyphs glyphs);

}  // namespace hone::app
