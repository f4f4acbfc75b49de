// Lines at the bottom of a terminal that are drawn again in place (ECMA-48 cursor movements).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "progress_bar.hpp"

namespace hone::app {

// Writes to a file descriptor that is a terminal; what was there before scrolls up, nothing is cleared but what it
// drew itself. Where the descriptor is no terminal, draw() does nothing.
class Screen {
 public:
  explicit Screen(int fd);
  // Shows the cursor again and leaves what was drawn last.
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  [[nodiscard]] bool is_terminal() const { return terminal_; }
  [[nodiscard]] std::size_t columns() const;
  [[nodiscard]] std::size_t lines() const;
  [[nodiscard]] Glyphs glyphs() const { return glyphs_; }

  // In place of what was drawn last. Lines are clipped to the terminal, in both directions.
  void draw(const std::vector<std::string>& lines);
  // Takes what was drawn away.
  void clear() { draw({}); }

 private:
  const int fd_;
  const bool terminal_;
  const Glyphs glyphs_;
  std::size_t drawn_ = 0;  // lines
};

}  // namespace hone::app
