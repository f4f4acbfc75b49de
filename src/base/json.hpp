// JSON from outside: parsed within bounds, read with errors that name the key.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace hone {

using Json = nlohmann::json;

// `invalid` with the position for anything that is not JSON or nests deeper than 32.
[[nodiscard]] Result<Json> parse_json(ByteView text);

// Each returns `invalid`, naming the key, when it is absent or of another type.
[[nodiscard]] Result<std::string> get_string(const Json& object, std::string_view key);
[[nodiscard]] Result<std::int64_t> get_int(const Json& object, std::string_view key);
[[nodiscard]] Result<double> get_number(const Json& object, std::string_view key);
[[nodiscard]] Result<bool> get_bool(const Json& object, std::string_view key);
[[nodiscard]] Result<const Json*> get_object(const Json& object, std::string_view key);
[[nodiscard]] Result<const Json*> get_array(const Json& object, std::string_view key);

[[nodiscard]] Bytes dump_bytes(const Json& value);

}  // namespace hone
