// Cuts what a command prints into lines as it comes, within bounds whatever it prints: a line that is too long is cut,
// and of the log only the end is kept.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace hone::trainer {

constexpr std::size_t kOutputLineBytesMax = 4096;
constexpr std::size_t kLogBytesMax = std::size_t{16} * 1024;  // small beside the 256 KiB of a lineage

class OutputLines {
 public:
  using OnLine = std::function<void(std::string_view)>;
  explicit OutputLines(OnLine on_line) : on_line_(std::move(on_line)) {}

  // A line ends with '\n' or '\r' (bars that overwrite themselves); empty ones are left out.
  void add(std::string_view text);
  void finish();  // the last line may lack its end

 private:
  OnLine on_line_;
  std::string line_;
};

// The last lines of a log, as much as fits into kLogBytesMax; text that is not UTF-8 has '?' in its place.
class LogTail {
 public:
  void add(std::string_view line);
  [[nodiscard]] const std::string& text() const { return text_; }  // each line ends with '\n'
  [[nodiscard]] std::string_view last_line() const;                // without its end
  [[nodiscard]] bool cut() const { return cut_; }                  // there was more

 private:
  std::string text_;
  bool cut_ = false;
};

}  // namespace hone::trainer
