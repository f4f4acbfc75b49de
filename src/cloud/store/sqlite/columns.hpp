// How values stand in columns: hashes in hexadecimal, times in Unix milliseconds.
#pragma once

#include <optional>
#include <string>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "cloud/store/sqlite/database.hpp"

namespace hone::cloud::sqlite {

// A column that this program wrote: anything else means a damaged database.
template <class Tag>
[[nodiscard]] Result<> read(const Rows& rows, int column, Digest<Tag>& out) {
  auto hash = Sha256::from_hex(rows.text(column));
  if (!hash) return fail(Code::damaged, "database: a hash is not one");
  out.sha256 = *hash;
  return {};
}

template <class Tag>
[[nodiscard]] Result<> read(const Rows& rows, int column, std::optional<Digest<Tag>>& out) {
  out.reset();
  if (rows.is_null(column)) return {};
  return read(rows, column, out.emplace());
}

[[nodiscard]] inline Time time_at(const Rows& rows, int column) {
  return from_unix_ms(rows.integer(column));
}

[[nodiscard]] inline std::optional<Time> optional_time_at(const Rows& rows, int column) {
  if (rows.is_null(column)) return std::nullopt;
  return time_at(rows, column);
}

template <class Tag>
[[nodiscard]] std::optional<std::string> hex_of(const std::optional<Digest<Tag>>& hash) {
  if (!hash) return std::nullopt;
  return hash->hex();
}

}  // namespace hone::cloud::sqlite
