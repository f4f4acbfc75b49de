// Canonical JSON (the OLPC form that TUF names): one byte string for one value, which is what
// gets signed. Keys are sorted by their UTF-8 bytes, there is no white space, and a string escapes
// only '"' and '\'. The form knows no fractions, so neither does the parser here.
//
//   {"b": 1, "a": "x\n"}   ->   {"a":"x<newline>","b":1}
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace hone::trust {

// Parses text from outside whose canonical form must be beyond doubt. `invalid` for what is not
// JSON, nests deeper than 32, names a key twice in one object, or holds a number that is not an
// integer of 64 bits.
[[nodiscard]] Result<Json> parse_strict_json(ByteView text);

// `invalid` when the value holds a fraction.
[[nodiscard]] Result<std::string> canonical_json(const Json& value);

}  // namespace hone::trust
