#include "columns.hpp"

#include <sys/ioctl.h>

#include <algorithm>
#include <cstdlib>

namespace hone::app {
namespace {

constexpr std::size_t kColumnsMax = 500, kLinesMax = 500;

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::size_t from_environment(const char* name, std::size_t otherwise, std::size_t max) {
  const char* text = std::getenv(name);
  const long value = text != nullptr ? std::strtol(text, nullptr, 10) : 0;
  return value > 0 ? std::min(static_cast<std::size_t>(value), max) : otherwise;
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::string clipped(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  for (std::size_t seen = 0; at < text.size(); ++at)
    if (!continues(text[at]) && ++seen > columns) break;
  return std::string(text.substr(0, at));
}

std::size_t terminal_columns(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return std::min<std::size_t>(size.ws_col, kColumnsMax);
  return from_environment("COLUMNS", 80, kColumnsMax);
}

std::size_t terminal_lines(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0) return std::min<std::size_t>(size.ws_row, kLinesMax);
  return from_environment("LINES", 24, kLinesMax);
}

}  // namespace hone::app
