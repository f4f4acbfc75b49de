// How much room text takes on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hone::app {

// Characters, not bytes: continuation bytes of UTF-8 take no room. (Wide and combining characters are
// counted as one; hone writes none.)
[[nodiscard]] std::size_t columns_of(std::string_view text);

// The beginning of `text` that takes at most `columns`, no character cut in two.
[[nodiscard]] std::string clipped(std::string_view text, std::size_t columns);

// Columns of the terminal at `fd`, else of $COLUMNS, else 80.
[[nodiscard]] std::size_t terminal_columns(int fd);
[[nodiscard]] std::size_t terminal_lines(int fd);  // likewise; else 24

}  // namespace hone::app
