#include "trainer/command/progress_line.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>

namespace hone::trainer {
namespace {

constexpr std::int64_t kEpochMax = std::int64_t{1} << 53;

// The next word and what follows it; empty at the end.
std::string_view take_word(std::string_view& rest) {
  const std::size_t begin = rest.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return rest = {};
  rest.remove_prefix(begin);
  const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

template <class Number>
bool read(std::string_view word, Number& out) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out);
  return error == std::errc() && end == word.data() + word.size();
}

// A loss that blew up is news, too: it becomes NaN, which travels as null.
bool read_figure(std::string_view word, double& out) {
  if (!read(word, out)) return false;
  if (std::abs(out) > 1e300) out = std::nan("");
  return true;
}

}  // namespace

std::optional<wire::ProgressPoint> progress_from(std::string_view line, const wire::ProgressPoint& last) {
  wire::ProgressPoint point = last;
  if (take_word(line) != "progress") return std::nullopt;
  if (!read(take_word(line), point.progress) || !(point.progress >= 0 && point.progress <= 1)) return std::nullopt;
  for (;;) {
    const std::string_view word = take_word(line);
    if (word.empty()) return point;
    const std::string_view value = take_word(line);
    if (word == "epoch") {
      if (!read(value, point.epoch) || point.epoch < 0 || point.epoch > kEpochMax) return std::nullopt;
    } else if (word == "loss") {
      if (!read_figure(value, point.loss)) return std::nullopt;
    } else if (word == "metric") {
      if (!read_figure(value, point.validation_metric)) return std::nullopt;
    } else if (value.empty()) {
      return std::nullopt;
    }
  }
}

}  // namespace hone::trainer
