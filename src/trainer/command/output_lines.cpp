#include "trainer/command/output_lines.hpp"

#include <algorithm>
#include <cstdint>

namespace hone::trainer {
namespace {

// How many bytes the UTF-8 character at the beginning of `text` has; 0 when there is none (RFC 3629).
std::size_t character_bytes(std::string_view text) {
  const auto first = static_cast<std::uint8_t>(text[0]);
  if (first < 0x80) return first < 0x20 && first != '\t' ? 0 : 1;
  const std::size_t bytes = first >= 0xc2 && first <= 0xdf   ? 2
                            : first >= 0xe0 && first <= 0xef ? 3
                            : first >= 0xf0 && first <= 0xf4 ? 4
                                                             : 0;
  if (bytes == 0 || text.size() < bytes) return 0;
  for (std::size_t i = 1; i < bytes; ++i)
    if ((static_cast<std::uint8_t>(text[i]) & 0xc0) != 0x80) return 0;
  const auto second = static_cast<std::uint8_t>(text[1]);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool outside = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
  return overlong || outside ? 0 : bytes;
}

}  // namespace

void OutputLines::add(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\n\r"), text.size());
    line_.append(text.substr(0, std::min(end, kOutputLineBytesMax - line_.size())));
    if (end == text.size()) return;
    finish();
    text.remove_prefix(end + 1);
  }
}

void OutputLines::finish() {
  if (!line_.empty()) on_line_(line_);
  line_.clear();
}

void LogTail::add(std::string_view line) {
  while (!line.empty()) {
    const std::size_t bytes = character_bytes(line);
    if (bytes == 0)
      text_ += '?';
    else
      text_ += line.substr(0, bytes);
    line.remove_prefix(std::max<std::size_t>(1, bytes));
  }
  text_ += '\n';
  if (text_.size() <= kLogBytesMax) return;
  const std::size_t begin = text_.find('\n', text_.size() - kLogBytesMax - 1);
  text_.erase(0, begin + 1);
  cut_ = true;
}

std::string_view LogTail::last_line() const {
  if (text_.empty()) return {};
  const std::string_view lines = std::string_view(text_).substr(0, text_.size() - 1);
  return lines.substr(lines.rfind('\n') + 1);
}

}  // namespace hone::trainer
