// Whole numbers drawn the same way on every machine: the standard library's distributions are not.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <unordered_set>
#include <vector>

namespace hone::metrics {

// Uniform below `bound` > 0, without a division in most calls (Lemire 2019, ACM TOMACS 29:3).
[[nodiscard]] inline std::uint64_t draw_below(std::mt19937_64& random, std::uint64_t bound) {
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(random()) * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t reject = (0 - bound) % bound;
    while (static_cast<std::uint64_t>(product) < reject) product = static_cast<Wide>(random()) * bound;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

// `count` of the numbers below `rows`, each set of them as likely as any other, ascending; all when there are no more.
// Memory for the drawn ones only (Floyd; Bentley 1987, Communications of the ACM 30:754).
[[nodiscard]] inline std::vector<std::int64_t> draw_rows(std::int64_t rows, std::int64_t count, std::uint64_t seed) {
  std::vector<std::int64_t> drawn;
  if (count >= rows) {
    drawn.resize(static_cast<std::size_t>(std::max<std::int64_t>(rows, 0)));
    std::iota(drawn.begin(), drawn.end(), std::int64_t{0});
    return drawn;
  }
  std::mt19937_64 random(seed);
  std::unordered_set<std::int64_t> seen;
  for (std::int64_t last = rows - std::max<std::int64_t>(count, 0); last < rows; ++last) {
    const auto row = static_cast<std::int64_t>(draw_below(random, static_cast<std::uint64_t>(last) + 1));
    const std::int64_t taken = seen.insert(row).second ? row : last;
    seen.insert(taken);
    drawn.push_back(taken);
  }
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

// What stands at those rows; nothing where `values` is empty.
template <class To, class From>
[[nodiscard]] std::vector<To> values_at(std::span<const std::int64_t> rows, std::span<const From> values) {
  std::vector<To> chosen;
  if (values.empty()) return chosen;
  chosen.reserve(rows.size());
  for (const std::int64_t row : rows) chosen.push_back(static_cast<To>(values[static_cast<std::size_t>(row)]));
  return chosen;
}

}  // namespace hone::metrics
