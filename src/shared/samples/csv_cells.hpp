// The cells of a CSV file (RFC 4180, read leniently): separated by commas, or by semicolons or tabs when
// the first line has no comma; lines end in \n or \r\n; empty lines are skipped; a byte order mark is too.
// A cell may stand in double quotes, "" being one quote inside; a quoted cell ends on its line. Spaces
// around a cell do not count.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace hone::samples {

class CsvCells {
 public:
  explicit CsvCells(ByteView text);  // borrowed

  // Goes to the next line that is not empty; false at the end.
  [[nodiscard]] bool next_line();
  // The next cell of the line, valid until the next call; false when there is none. `invalid` for a quote
  // that is not closed, or text behind one.
  [[nodiscard]] Result<bool> next_cell(std::string_view& cell);

  [[nodiscard]] std::size_t line() const { return line_; }      // of the file, from 1
  [[nodiscard]] std::size_t column() const { return column_; }  // cells read on this line
  // Back to the first cell of the line.
  void rewind_line();

 private:
  [[nodiscard]] Result<bool> quoted(std::string_view& cell);

  std::string_view text_;  // what follows the line
  std::string_view whole_line_, rest_;
  bool more_ = false;  // the line has another cell, though perhaps an empty one
  std::size_t line_ = 0, column_ = 0;
  char separator_ = ',';
  std::string unquoted_;
};

}  // namespace hone::samples
