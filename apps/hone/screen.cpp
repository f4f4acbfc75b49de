#include "screen.hpp"

#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "columns.hpp"

namespace hone::app {
namespace {

constexpr std::string_view kHideCursor = "\033[?25l", kShowCursor = "\033[?25h", kClearBelow = "\033[J";

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n <= 0) return;  // nobody looks any more
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

Screen::Screen(int fd) : fd_(fd), terminal_(::isatty(fd) == 1), glyphs_(glyphs_of_locale()) {}

Screen::~Screen() {
  if (drawn_ > 0) write_all(fd_, kShowCursor);
}

std::size_t Screen::columns() const { return terminal_columns(fd_); }
std::size_t Screen::lines() const { return terminal_lines(fd_); }

void Screen::draw(const std::vector<std::string>& lines) {
  if (!terminal_ || (lines.empty() && drawn_ == 0)) return;
  // One line is left for the cursor, and a last column for terminals that wrap early.
  const std::size_t width = columns() - 1, count = std::min(lines.size(), this->lines() - 1);
  std::string text;
  if (drawn_ > 0) text += "\r\033[" + std::to_string(drawn_) + "A";
  text += kClearBelow;
  for (std::size_t i = 0; i < count; ++i) text += clipped(lines[i], width) + "\n";
  text += count > 0 ? kHideCursor : kShowCursor;
  drawn_ = count;
  write_all(fd_, text);
}

}  // namespace hone::app
