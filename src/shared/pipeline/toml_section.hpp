// Reads the keys of one TOML table into values, with errors that name file, line and column. The
// first thing that is wrong is kept, and all reads after it do nothing. For the pipeline parser.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace hone {

// Where the first error of a file is kept.
class TomlErrors {
 public:
  explicit TomlErrors(std::string_view file) : file_(file) {}

  void add(const toml::source_position& at, std::string_view problem);
  [[nodiscard]] bool any() const { return first_.has_value(); }
  [[nodiscard]] const Error& first() const { return *first_; }

 private:
  std::string file_;
  std::optional<Error> first_;
};

struct Choice {
  std::string_view word;
  int value;
};

class TomlSection {
 public:
  // `table` may be null: the section is absent, and only keys that are required are missed.
  // Unknown keys are errors at once, with the nearest of `keys`.
  TomlSection(const toml::table* table, std::string name, const toml::source_region& parent, TomlErrors& errors,
              std::initializer_list<std::string_view> keys);

  [[nodiscard]] bool has(std::string_view key) const;
  void require(std::string_view key);

  // Each leaves `out` as it is when the key is absent.
  void text(std::string_view key, std::string& out, std::size_t bytes_max);
  void integer(std::string_view key, std::int64_t& out, std::int64_t min, std::int64_t max);
  void number(std::string_view key, double& out, double min, double max);
  void flag(std::string_view key, bool& out);
  void size(std::string_view key, std::int64_t& out);  // "50 MiB", or a number of bytes
  void duration(std::string_view key, Duration& out);  // "10m"
  void strings(std::string_view key, std::vector<std::string>& out, std::size_t items_max);
  void integers(std::string_view key, std::vector<std::int64_t>& out, std::size_t items_max);
  [[nodiscard]] const toml::table* table(std::string_view key);

  // The word at `key`, or `otherwise`.
  [[nodiscard]] int choice(std::string_view key, int otherwise, std::initializer_list<Choice> known);

  // An error at the key's value (item `index` of an array), or at the section when the key is absent.
  void fail_at(std::string_view key, std::string_view problem, std::optional<std::size_t> index = std::nullopt);
  [[nodiscard]] bool failed() const { return errors_.any(); }
  [[nodiscard]] const toml::source_region& source() const { return source_; }

 private:
  [[nodiscard]] const toml::node* find(std::string_view key) const;
  [[nodiscard]] std::string full(std::string_view key) const {
    return name_.empty() ? std::string(key) : name_ + "." + std::string(key);
  }

  const toml::table* table_;
  std::string name_;
  toml::source_region source_;
  TomlErrors& errors_;
};

// "10m", "6h", "0s", "1d", "250ms": a whole number and a unit.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
// "50 MiB", "4096 B": a whole number and B, KB, MB, GB, KiB, MiB or GiB.
[[nodiscard]] std::optional<std::int64_t> parse_size(std::string_view text);
// The word of `known` that `text` most likely stands for, or empty.
[[nodiscard]] std::string_view nearest_word(std::string_view text, const std::vector<std::string_view>& known);

}  // namespace hone
