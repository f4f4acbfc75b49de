#include "table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "columns.hpp"

namespace hone::app {
namespace {

std::string formatted(const char* format, double value) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, value);
  return buffer.data();
}

}  // namespace

Table::Table(std::vector<std::string> headings) {
  for (std::string& heading : headings) {
    right_.push_back(heading.starts_with('>'));
    if (right_.back()) heading.erase(0, 1);
  }
  rows_.push_back(std::move(headings));
}

void Table::row(std::vector<std::string> cells) {
  cells.resize(right_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths(right_.size(), 0);
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - columns_of(row[i]), ' ');
      line += (i == 0 ? "" : "  ") + (right_[i] ? padding + row[i] : row[i] + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

void Table::print() const { std::fputs(text().c_str(), stdout); }

std::string with_commas(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string bytes_in_words(double bytes) {
  if (bytes < 1000) return formatted("%.0f B", bytes);
  if (bytes < 1e6) return formatted("%.1f kB", bytes / 1e3);
  if (bytes < 1e9) return formatted("%.1f MB", bytes / 1e6);
  return formatted("%.1f GB", bytes / 1e9);
}

std::string percent(double share) { return formatted("%.2f%%", 100 * share); }

std::string duration_in_words(Duration d) {
  const double s = static_cast<double>(d.count()) / 1000;
  if (s < 1) return formatted("%.0f ms", s * 1000);
  if (s < 120) return formatted("%.1f s", s);
  if (s < 7200) return formatted("%.0f min", s / 60);
  if (s < 48 * 3600) return formatted("%.0f h", s / 3600);
  return formatted("%.0f days", s / 86400);
}

std::string when(const Json& unix_ms) {
  return unix_ms.is_number() ? to_rfc3339(from_unix_ms(unix_ms.get<std::int64_t>())) : "-";
}

std::string text_of(const Json& value) {
  if (value.is_null()) return "-";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace hone::app
