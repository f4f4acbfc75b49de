#include "shared/samples/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "shared/samples/csv_cells.hpp"

namespace hone::samples {
namespace {

using wire::DType;

constexpr std::string_view kLabelHeading = "label";
constexpr std::size_t kShownBytesMax = 40;

// A cell in a sentence: short, and nothing in it that a terminal would obey.
std::string shown(std::string_view cell) {
  if (cell.empty()) return "an empty cell";
  std::string text(cell.substr(0, kShownBytesMax));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  return "'" + text + (cell.size() > kShownBytesMax ? "..." : "") + "'";
}

std::optional<double> number_in(std::string_view cell) {
  if (cell.starts_with('+') && !cell.starts_with("+-")) cell.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc{} || end != cell.data() + cell.size()) return std::nullopt;
  return value;
}

template <class T>
bool append_as(double value, Bytes& out) {
  if constexpr (std::is_integral_v<T>) {
    if (!(value >= static_cast<double>(std::numeric_limits<T>::min()) &&
          value <= static_cast<double>(std::numeric_limits<T>::max())) || value != std::trunc(value))
      return false;
  } else if (std::isfinite(value) && std::abs(value) > static_cast<double>(std::numeric_limits<T>::max())) {
    return false;
  }
  const T element = static_cast<T>(value);
  const auto at = out.size();
  out.resize(at + sizeof element);
  std::memcpy(out.data() + at, &element, sizeof element);
  return true;
}

bool append_number(double value, DType dtype, Bytes& out) {
  switch (dtype) {
    case DType::uint8: return append_as<std::uint8_t>(value, out);
    case DType::int8: return append_as<std::int8_t>(value, out);
    case DType::int16: return append_as<std::int16_t>(value, out);
    case DType::int32: return append_as<std::int32_t>(value, out);
    case DType::float32: return append_as<float>(value, out);
  }
  return false;
}

class CsvReader {
 public:
  CsvReader(ByteView text, const wire::Signal& signal, const CsvOptions& options)
      : cells_(text), signal_(signal), options_(options), elements_(signal.elements()) {}

  Result<Samples> read() {
    if (!cells_.next_line()) return fail(Code::invalid, "the file has no lines");
    HONE_CHECK(read_layout());
    if (has_header_ && !cells_.next_line()) return fail(Code::invalid, "the file has a header and no lines of numbers");
    cells_.rewind_line();
    do {
      HONE_CHECK(read_row());
    } while (cells_.next_line());
    return std::move(samples_);
  }

 private:
  tl::unexpected<Error> at_cell(const std::string& what) const {
    return fail(Code::invalid, "line " + std::to_string(cells_.line()) + ", column " + std::to_string(cells_.column()) + " " + what);
  }
  tl::unexpected<Error> at_line(const std::string& what) const {
    return fail(Code::invalid, "line " + std::to_string(cells_.line()) + " " + what);
  }

  // From the first line: how many columns, whether it is a header, and which one is the label's.
  Result<> read_layout() {
    std::size_t numbers = 0, named = 0, named_label = 0;
    std::string_view cell;
    for (;;) {
      const auto more = cells_.next_cell(cell);
      if (!more) return at_cell(more.error().context);
      if (!*more) break;
      columns_ = cells_.column();
      if (columns_ > elements_ + 1) return at_line("has more than " + std::to_string(elements_ + 1) + " cells: " + needed());
      if (number_in(cell)) ++numbers;
      else if (!options_.label_column.empty() && cell == options_.label_column) named = columns_;
      else if (cell == kLabelHeading) named_label = columns_;
    }
    has_header_ = numbers == 0 || named != 0 || named_label != 0;
    HONE_CHECK(choose_label_column(named, named_label));
    const std::size_t wanted = elements_ + (label_column_ != 0 ? 1 : 0);
    if (columns_ != wanted) return at_line("has " + std::to_string(columns_) + " cells: " + needed());
    if (label_column_ == 0 && options_.labels_required)
      return at_line("has " + std::to_string(columns_) + " cells, none of them a label: " + needed());
    return {};
  }

  Result<> choose_label_column(std::size_t named, std::size_t named_label) {
    if (options_.label_column.empty()) {
      label_column_ = named_label != 0 ? named_label : columns_ == elements_ + 1 ? columns_ : 0;
      return {};
    }
    label_column_ = named;
    if (label_column_ != 0) return {};
    const auto number = number_in(options_.label_column);
    if (number && *number >= 1 && *number <= static_cast<double>(columns_) && *number == std::trunc(*number)) {
      label_column_ = static_cast<std::size_t>(*number);
      return {};
    }
    return at_line("has no column '" + options_.label_column + "': name one of the header, or give its number from 1 to " +
                   std::to_string(columns_));
  }

  std::string needed() const {
    return "a sample has " + std::to_string(elements_) + " numbers" +
           (options_.labels_required ? ", and its label stands behind them or in the column that --label-column names"
                                     : ", and one column more may hold its label");
  }

  Result<> read_row() {
    std::int64_t label = kNoLabel;
    std::string_view cell;
    for (std::size_t column = 1; column <= columns_; ++column) {
      const auto more = cells_.next_cell(cell);
      if (!more) return at_cell(more.error().context);
      if (!*more) return at_line("has " + std::to_string(column - 1) + " cells, the lines before have " + std::to_string(columns_));
      if (column == label_column_) {
        HONE_TRY(label, label_in(cell));
        continue;
      }
      const auto number = number_in(cell);
      if (!number) return at_cell("holds " + shown(cell) + " where a number is needed");
      if (!append_number(*number, signal_.dtype, samples_.x))
        return at_cell("holds " + shown(cell) + ", which the signal's dtype " + std::string(wire::name_of(signal_.dtype)) + " cannot hold");
    }
    const auto beyond = cells_.next_cell(cell);
    if (!beyond || *beyond) return at_line("has more than the " + std::to_string(columns_) + " cells of the lines before");
    samples_.y.push_back(label);
    return {};
  }

  Result<std::int64_t> label_in(std::string_view cell) const {
    if (cell.empty()) return kNoLabel;
    const auto& names = signal_.labels;
    if (const auto found = std::find(names.begin(), names.end(), cell); found != names.end())
      return static_cast<std::int64_t>(found - names.begin());
    const std::int64_t max = names.empty() ? kLabelIndexMax : static_cast<std::int64_t>(names.size()) - 1;
    const auto number = number_in(cell);
    if (number && *number >= -1 && *number <= static_cast<double>(max) && *number == std::trunc(*number))
      return static_cast<std::int64_t>(*number);
    return at_cell("holds the label " + shown(cell) + ", which is " +
                   (names.empty() ? "no whole number from 0 to " : "none of the signal's labels and no index from 0 to ") +
                   std::to_string(max));
  }

  CsvCells cells_;
  const wire::Signal& signal_;
  const CsvOptions& options_;
  const std::size_t elements_;
  std::size_t columns_ = 0, label_column_ = 0;  // the latter from 1; 0: there is none
  bool has_header_ = false;
  Samples samples_;
};

}  // namespace

Result<Samples> parse_csv(ByteView text, const wire::Signal& signal, const CsvOptions& options) {
  HONE_CHECK(wire::check(signal));
  return CsvReader(text, signal, options).read();
}

}  // namespace hone::samples
