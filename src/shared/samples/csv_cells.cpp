#include "shared/samples/csv_cells.hpp"

namespace hone::samples {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

char separator_of(std::string_view first_line) {
  for (const char candidate : {',', ';', '\t'})
    if (first_line.find(candidate) != std::string_view::npos) return candidate;
  return ',';
}

}  // namespace

CsvCells::CsvCells(ByteView text) : text_(as_text(text)) {
  if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
}

bool CsvCells::next_line() {
  const bool first = line_ == 0;
  while (!text_.empty()) {
    ++line_;
    const auto end = text_.find('\n');
    whole_line_ = text_.substr(0, end);
    text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
    if (whole_line_.ends_with('\r')) whole_line_.remove_suffix(1);
    if (trimmed(whole_line_).empty()) continue;
    if (first) separator_ = separator_of(whole_line_);
    rewind_line();
    return true;
  }
  return false;
}

void CsvCells::rewind_line() {
  rest_ = whole_line_;
  more_ = true;
  column_ = 0;
}

Result<bool> CsvCells::next_cell(std::string_view& cell) {
  if (!more_) return false;
  ++column_;
  const auto begin = rest_.find_first_not_of(' ');
  if (begin != std::string_view::npos && rest_[begin] == '"') {
    rest_.remove_prefix(begin + 1);
    return quoted(cell);
  }
  const auto end = rest_.find(separator_);
  cell = trimmed(rest_.substr(0, end));
  more_ = end != std::string_view::npos;
  rest_.remove_prefix(more_ ? end + 1 : rest_.size());
  return true;
}

Result<bool> CsvCells::quoted(std::string_view& cell) {
  unquoted_.clear();
  for (;;) {
    const auto end = rest_.find('"');
    if (end == std::string_view::npos) return fail(Code::invalid, "has a quote that is not closed on its line");
    unquoted_ += rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    if (!rest_.starts_with('"')) break;
    unquoted_ += '"';
    rest_.remove_prefix(1);
  }
  const auto end = rest_.find(separator_);
  if (!trimmed(rest_.substr(0, end)).empty()) return fail(Code::invalid, "has text behind its closing quote");
  more_ = end != std::string_view::npos;
  rest_.remove_prefix(more_ ? end + 1 : rest_.size());
  cell = trimmed(unquoted_);
  return true;
}

}  // namespace hone::samples
