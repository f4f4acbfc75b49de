// Byte strings and hexadecimal.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace hone {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline Bytes to_bytes(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}
[[nodiscard]] inline std::string to_string(ByteView bytes) { return std::string(as_text(bytes)); }

[[nodiscard]] std::string to_hex(ByteView bytes);                 // lower case
[[nodiscard]] Result<Bytes> from_hex(std::string_view hex);       // invalid
[[nodiscard]] std::string to_base64(ByteView bytes);              // RFC 4648 section 4, padded
[[nodiscard]] Result<Bytes> from_base64(std::string_view text);   // invalid

}  // namespace hone
