#include "base/ids.hpp"

#include <algorithm>

namespace hone {
namespace {

constexpr std::size_t kPlainNameCharsMax = 64;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= kPlainNameCharsMax && is_lower(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-'; });
}

}  // namespace hone
