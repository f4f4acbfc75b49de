#include "shared/pipeline/toml_section.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

namespace hone {
namespace {

// A whole number at the beginning of `text`, which is cut off it with the spaces that follow.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return value;
}

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

template <std::size_t N>
std::optional<std::int64_t> scaled(std::string_view text, const std::array<Unit, N>& units) {
  const auto value = take_number(text);
  if (!value) return std::nullopt;
  for (const Unit& unit : units)
    if (unit.name == text && *value <= (std::int64_t{1} << 53) / unit.factor) return *value * unit.factor;
  return std::nullopt;
}

// Levenshtein's distance.
std::size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

std::string quoted_list(std::initializer_list<Choice> known) {
  std::string text;
  std::size_t i = 0;
  for (const Choice& choice : known) {
    if (i > 0) text += i + 1 == known.size() ? " or " : ", ";
    text += "'" + std::string(choice.word) + "'";
    ++i;
  }
  return text;
}

std::string short_number(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), error == std::errc() ? end : text.data()};
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  constexpr std::array<Unit, 5> kUnits{{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  const auto ms = scaled(text, kUnits);
  if (!ms || *ms > 366 * std::int64_t{86'400'000}) return std::nullopt;
  return Duration(*ms);
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  constexpr std::array<Unit, 7> kUnits{{{"B", 1},
                                        {"KB", 1000},
                                        {"MB", 1'000'000},
                                        {"GB", 1'000'000'000},
                                        {"KiB", 1 << 10},
                                        {"MiB", 1 << 20},
                                        {"GiB", 1 << 30}}};
  return scaled(text, kUnits);
}

std::string_view nearest_word(std::string_view text, const std::vector<std::string_view>& known) {
  if (text.size() > 64) return {};
  std::string_view best;
  std::size_t fewest = std::max<std::size_t>(2, text.size() / 3) + 1;
  for (const std::string_view word : known) {
    const std::size_t edits = edits_between(text, word);
    if (edits < fewest && edits < word.size()) {
      fewest = edits;
      best = word;
    }
  }
  return best;
}

void TomlErrors::add(const toml::source_position& at, std::string_view problem) {
  if (first_) return;
  // toml++ has no position for what is absent from the file.
  const auto line = at.line == 0 ? 1 : at.line;
  const auto column = at.column == 0 ? 1 : at.column;
  first_ = Error(Code::invalid,
                 file_ + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + std::string(problem));
}

TomlSection::TomlSection(const toml::table* table, std::string name, const toml::source_region& parent,
                         TomlErrors& errors, std::initializer_list<std::string_view> keys)
    : table_(table), name_(std::move(name)), source_(table ? table->source() : parent), errors_(errors) {
  if (!table_) return;
  const std::vector<std::string_view> known(keys);
  // In the order of the file, not of the alphabet: the first mistake is the one that is told.
  const toml::key* first_unknown = nullptr;
  for (auto&& [key, node] : *table_) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    const auto& at = key.source().begin;
    if (!first_unknown || at < first_unknown->source().begin) first_unknown = &key;
  }
  if (!first_unknown) return;
  const std::string_view nearest = nearest_word(first_unknown->str(), known);
  std::string problem = name_.empty() ? "unknown section '" : "unknown key '";
  problem += std::string(first_unknown->str().substr(0, 64)) + "'";
  if (!name_.empty()) problem += " in [" + name_ + "]";
  if (!nearest.empty()) problem += "; did you mean '" + std::string(nearest) + "'?";
  errors_.add(first_unknown->source().begin, problem);
}

const toml::node* TomlSection::find(std::string_view key) const {
  return table_ && !errors_.any() ? table_->get(key) : nullptr;
}

bool TomlSection::has(std::string_view key) const {
  return table_ && table_->contains(key);
}

void TomlSection::require(std::string_view key) {
  if (!has(key)) errors_.add(source_.begin, "'" + full(key) + "' is missing");
}

void TomlSection::fail_at(std::string_view key, std::string_view problem, std::optional<std::size_t> index) {
  const toml::node* node = table_ ? table_->get(key) : nullptr;
  if (node && index && node->is_array() && *index < node->as_array()->size()) node = node->as_array()->get(*index);
  errors_.add(node ? node->source().begin : source_.begin, "'" + full(key) + "' " + std::string(problem));
}

void TomlSection::text(std::string_view key, std::string& out, std::size_t bytes_max) {
  const toml::node* node = find(key);
  if (!node) return;
  const auto* value = node->as_string();
  if (!value) return fail_at(key, "must be a string");
  if (value->get().size() > bytes_max) return fail_at(key, "is longer than " + std::to_string(bytes_max) + " bytes");
  out = value->get();
}

void TomlSection::integer(std::string_view key, std::int64_t& out, std::int64_t min, std::int64_t max) {
  const toml::node* node = find(key);
  if (!node) return;
  const auto* value = node->as_integer();
  if (!value) return fail_at(key, "must be a whole number");
  if (value->get() < min || value->get() > max)
    return fail_at(key, "must be from " + std::to_string(min) + " to " + std::to_string(max) + ", not " +
                            std::to_string(value->get()));
  out = value->get();
}

void TomlSection::number(std::string_view key, double& out, double min, double max) {
  const toml::node* node = find(key);
  if (!node) return;
  if (!node->is_number()) return fail_at(key, "must be a number");
  const double value =
      node->is_integer() ? static_cast<double>(node->as_integer()->get()) : node->as_floating_point()->get();
  if (!(value >= min && value <= max))
    return fail_at(key,
                   "must be from " + short_number(min) + " to " + short_number(max) + ", not " + short_number(value));
  out = value;
}

void TomlSection::flag(std::string_view key, bool& out) {
  const toml::node* node = find(key);
  if (!node) return;
  const auto* value = node->as_boolean();
  if (!value) return fail_at(key, "must be true or false");
  out = value->get();
}

void TomlSection::size(std::string_view key, std::int64_t& out) {
  const toml::node* node = find(key);
  if (!node) return;
  if (node->is_integer()) return integer(key, out, 0, std::int64_t{1} << 53);
  std::string words;
  text(key, words, 64);
  if (failed()) return;
  const auto bytes = parse_size(words);
  if (!bytes) return fail_at(key, "must be a size like \"50 MiB\": a whole number and B, KB, MB, GB, KiB, MiB or GiB");
  out = *bytes;
}

void TomlSection::duration(std::string_view key, Duration& out) {
  if (!find(key)) return;
  std::string words;
  text(key, words, 64);
  if (failed()) return;
  const auto value = parse_duration(words);
  if (!value) return fail_at(key, "must be a duration like \"10m\": a whole number and ms, s, m, h or d, at most 366d");
  out = *value;
}

void TomlSection::strings(std::string_view key, std::vector<std::string>& out, std::size_t items_max) {
  const toml::node* node = find(key);
  if (!node) return;
  const auto* array = node->as_array();
  if (!array) return fail_at(key, "must be an array of strings");
  if (array->size() > items_max) return fail_at(key, "has more than " + std::to_string(items_max) + " items");
  out.clear();
  for (std::size_t i = 0; i < array->size(); ++i) {
    const auto* value = array->get(i)->as_string();
    if (!value) return fail_at(key, "must hold strings", i);
    out.push_back(value->get());
  }
}

void TomlSection::integers(std::string_view key, std::vector<std::int64_t>& out, std::size_t items_max) {
  const toml::node* node = find(key);
  if (!node) return;
  const auto* array = node->as_array();
  if (!array) return fail_at(key, "must be an array of whole numbers");
  if (array->size() > items_max) return fail_at(key, "has more than " + std::to_string(items_max) + " items");
  out.clear();
  for (std::size_t i = 0; i < array->size(); ++i) {
    const auto* value = array->get(i)->as_integer();
    if (!value) return fail_at(key, "must hold whole numbers", i);
    out.push_back(value->get());
  }
}

const toml::table* TomlSection::table(std::string_view key) {
  const toml::node* node = find(key);
  if (!node) return nullptr;
  const auto* value = node->as_table();
  if (!value) {
    if (name_.empty())
      errors_.add(node->source().begin, "'" + std::string(key) + "' must be a section: [" + std::string(key) + "]");
    else
      fail_at(key, "must be a table: { ... }");
  }
  return value;
}

int TomlSection::choice(std::string_view key, int otherwise, std::initializer_list<Choice> known) {
  std::string word;
  text(key, word, 256);
  if (failed() || !has(key)) return otherwise;
  for (const Choice& choice : known)
    if (choice.word == word) return choice.value;
  fail_at(key, "must be " + quoted_list(known) + ", not '" + word + "'");
  return otherwise;
}

}  // namespace hone
