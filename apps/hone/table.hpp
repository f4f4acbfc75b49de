// What people read: tables with aligned columns, sizes, shares and times in words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/time.hpp"

namespace hone::app {

class Table {
 public:
  // A heading that begins with '>' is of a column of numbers, aligned right.
  explicit Table(std::vector<std::string> headings);
  void row(std::vector<std::string> cells);
  [[nodiscard]] std::string text() const;
  void print() const;

 private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

[[nodiscard]] std::string with_commas(std::int64_t number);    // "36,000"
[[nodiscard]] std::string bytes_in_words(double bytes);        // "1.2 MB"
[[nodiscard]] std::string percent(double share);               // "98.71%"
[[nodiscard]] std::string duration_in_words(Duration d);       // "3 min"

// Times in answers are Unix milliseconds, or null.
[[nodiscard]] std::string when(const Json& unix_ms);           // "2026-11-23T04:05:06Z", or "-"
[[nodiscard]] std::string text_of(const Json& value);          // null is "-"

}  // namespace hone::app
