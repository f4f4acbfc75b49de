#include "base/json.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace hone {
namespace {

constexpr int kDepthMax = 32;

std::string place_of(ByteView text, std::size_t position) {
  const auto begin = text.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(std::min(position, text.size()));
  const auto line = 1 + std::count(begin, end, '\n');
  const auto line_begin = std::find(std::make_reverse_iterator(end), std::make_reverse_iterator(begin), '\n').base();
  return "line " + std::to_string(line) + ", column " + std::to_string(end - line_begin + 1);
}

// Looked for before parsing, so that hostile nesting never costs memory.
std::optional<std::size_t> first_too_deep(ByteView text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint8_t c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDepthMax) return i;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return std::nullopt;
}

tl::unexpected<Error> wrong(std::string_view key, std::string_view what) {
  return fail(Code::invalid, "JSON key \"" + std::string(key) + "\" " + std::string(what));
}

Result<const Json*> find(const Json& object, std::string_view key) {
  if (!object.is_object())
    return fail(Code::invalid, "expected a JSON object with the key \"" + std::string(key) + "\"");
  const auto it = object.find(std::string(key));
  if (it == object.end()) return wrong(key, "is missing");
  return &*it;
}

}  // namespace

Result<Json> parse_json(ByteView text) {
  if (const auto position = first_too_deep(text)) {
    return fail(Code::invalid,
                "JSON nests deeper than " + std::to_string(kDepthMax) + " at " + place_of(text, *position));
  }
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::parse_error& e) {
    // `byte` counts from 1 and names the last byte read.
    return fail(Code::invalid, "not valid JSON at " + place_of(text, e.byte == 0 ? 0 : e.byte - 1));
  } catch (const Json::exception&) {
    return fail(Code::invalid, "JSON has a number outside the range of a double");
  }
}

Result<std::string> get_string(const Json& object, std::string_view key) {
  HONE_TRY(const Json* value, find(object, key));
  if (!value->is_string()) return wrong(key, "must be a string");
  return value->get<std::string>();
}

Result<std::int64_t> get_int(const Json& object, std::string_view key) {
  HONE_TRY(const Json* value, find(object, key));
  if (!value->is_number_integer()) return wrong(key, "must be an integer");
  if (value->is_number_unsigned() &&
      value->get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return wrong(key, "must be below 2^63");
  }
  return value->get<std::int64_t>();
}

Result<double> get_number(const Json& object, std::string_view key) {
  HONE_TRY(const Json* value, find(object, key));
  if (!value->is_number()) return wrong(key, "must be a number");
  return value->get<double>();
}

Result<bool> get_bool(const Json& object, std::string_view key) {
  HONE_TRY(const Json* value, find(object, key));
  if (!value->is_boolean()) return wrong(key, "must be true or false");
  return value->get<bool>();
}

Result<const Json*> get_object(const Json& object, std::string_view key) {
  HONE_TRY(const Json* value, find(object, key));
  if (!value->is_object()) return wrong(key, "must be an object");
  return value;
}

Result<const Json*> get_array(const Json& object, std::string_view key) {
  HONE_TRY(const Json* value, find(object, key));
  if (!value->is_array()) return wrong(key, "must be an array");
  return value;
}

// Text that is not UTF-8 (a message of the system, say) is replaced, never thrown about.
Bytes dump_bytes(const Json& value) {
  return to_bytes(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace hone
