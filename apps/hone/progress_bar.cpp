#include "progress_bar.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "columns.hpp"

namespace hone::app {
namespace {

constexpr std::size_t kBarColumnsMin = 4, kBarColumnsMax = 40;
constexpr std::array<std::string_view, 9> kEighths{" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};

}  // namespace

Glyphs glyphs_of_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    std::string locale(value);
    std::transform(locale.begin(), locale.end(), locale.begin(), [](unsigned char c) { return static_cast<char>(c | 0x20U); });
    return {locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos};
  }
  return {};
}

std::string bar(double share, std::size_t width, Glyphs glyphs) {
  share = std::isfinite(share) ? std::clamp(share, 0.0, 1.0) : 0.0;
  std::string text;
  if (!glyphs.utf8) {
    const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
    return std::string(full, '#') + std::string(width - full, '.');
  }
  const auto eighths = static_cast<std::size_t>(share * 8 * static_cast<double>(width));
  for (std::size_t column = 0; column < width; ++column)
    text += kEighths[std::min<std::size_t>(8, eighths - std::min(eighths, 8 * column))];
  return text;
}

std::string bar_line(std::string_view before, double share, std::string_view after, std::size_t width, Glyphs glyphs) {
  const std::size_t texts = columns_of(before) + columns_of(after) + 4;  // brackets and spaces
  if (width < texts + kBarColumnsMin) return clipped(std::string(before) + " " + std::string(after), width);
  const std::size_t columns = std::min(kBarColumnsMax, width - texts);
  return std::string(before) + " [" + bar(share, columns, glyphs) + "] " + std::string(after);
}

}  // namespace hone::app
