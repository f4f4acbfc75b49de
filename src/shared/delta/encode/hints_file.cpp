#include "shared/delta/encode/hints_file.hpp"

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace hone::delta {
namespace {

using Json = nlohmann::json;

template <class T>
bool read_number(const Json& value, T& out) {
  if (!value.is_number_integer()) return false;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int32_t>::max()) return false;
  const auto number = value.get<std::int64_t>();
  if (number < static_cast<std::int64_t>(std::numeric_limits<T>::min()) ||
      number > static_cast<std::int64_t>(std::numeric_limits<T>::max()))
    return false;
  out = static_cast<T>(number);
  return true;
}

template <class T>
bool read_field(const Json& hint, const char* name, T& out) {
  const auto found = hint.find(name);
  return found != hint.end() && read_number(*found, out);
}

bool read_factors(const Json& hint, const char* name, std::vector<std::int16_t>& out) {
  const auto found = hint.find(name);
  if (found == hint.end() || !found->is_array()) return false;
  out.reserve(found->size());
  for (const Json& value : *found)
    if (!read_number(value, out.emplace_back())) return false;
  return true;
}

}  // namespace

Result<std::vector<LowRankHint>> read_hints(ByteView file) {
  if (file.size() > kHintsBytesMax) return fail(Code::invalid, "the hints are larger than 256 MiB: give fewer or smaller ones");
  const Json json = Json::parse(file.begin(), file.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_array()) return fail(Code::invalid, "the hints are not a list in JSON: see docs/formats/delta.md");
  std::vector<LowRankHint> hints;
  for (const Json& given : json) {
    LowRankHint hint;
    const bool is_hint = given.is_object() && given.contains("tensor") && given["tensor"].is_string() &&
                         read_field(given, "rows", hint.rows) && read_field(given, "columns", hint.columns) &&
                         read_field(given, "rank", hint.rank) && read_field(given, "shift", hint.shift) &&
                         read_field(given, "scale", hint.scale) && read_factors(given, "u", hint.u) &&
                         read_factors(given, "v", hint.v);
    if (!is_hint)
      return fail(Code::invalid, "hint " + std::to_string(hints.size()) +
                                     " lacks a field, or has one that is no integer in range: see docs/formats/delta.md");
    hint.tensor = given["tensor"].get<std::string>();
    hints.push_back(std::move(hint));
  }
  return hints;
}

Bytes write_hints(const std::vector<LowRankHint>& hints) {
  Json list = Json::array();
  for (const LowRankHint& hint : hints)
    list.push_back({{"tensor", hint.tensor},
                    {"rows", hint.rows},
                    {"columns", hint.columns},
                    {"rank", hint.rank},
                    {"shift", hint.shift},
                    {"scale", hint.scale},
                    {"u", hint.u},
                    {"v", hint.v}});
  const std::string text = list.dump(-1, ' ', false, Json::error_handler_t::replace);
  return {text.begin(), text.end()};
}

}  // namespace hone::delta
