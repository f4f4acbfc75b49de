// NumPy's .npy (numpy.lib.format, versions 1 to 3): a dictionary in Python's notation, then one array.
#include <charconv>
#include <string_view>

#include "shared/model/containers.hpp"

namespace hone::model {
namespace {

ElementType element_type(std::string_view descr) {
  if (descr == "<f4") return ElementType::f32;
  if (descr == "<f2") return ElementType::f16;
  if (descr == "<f8") return ElementType::f64;
  if (descr == "|i1") return ElementType::i8;
  if (descr == "|u1" || descr == "|b1") return ElementType::u8;
  if (descr == "<i2" || descr == "<u2") return ElementType::i16;
  if (descr == "<i4" || descr == "<u4") return ElementType::i32;
  if (descr == "<i8" || descr == "<u8") return ElementType::i64;
  return ElementType::other;
}

// What stands between `open` and `close` after `key`.
std::string_view after(std::string_view header, std::string_view key, char open, char close) {
  const auto at = header.find(key);
  const auto from = at == std::string_view::npos ? at : header.find(open, at + key.size());
  const auto to = from == std::string_view::npos ? from : header.find(close, from + 1);
  return to == std::string_view::npos ? std::string_view() : header.substr(from + 1, to - from - 1);
}

}  // namespace

bool find_npy(ByteView file, std::vector<TensorExtent>& tensors) {
  if (file.size() < 12 || as_text(file.first(6)) != "\x93NUMPY") return false;
  const bool is_wide = file[6] > 1;
  std::uint64_t bytes = 0;
  for (unsigned i = 0; i < (is_wide ? 4u : 2u); ++i) bytes |= static_cast<std::uint64_t>(file[8 + i]) << (8 * i);
  const std::uint64_t data = (is_wide ? 12 : 10) + bytes;
  if (data > file.size() || bytes > 1u << 20) return false;
  const std::string_view header = as_text(file.subspan(data - bytes, bytes));
  TensorExtent extent;
  extent.type = element_type(after(header, "'descr':", '\'', '\''));
  extent.offset = data;
  extent.bytes = file.size() - data;
  const std::string_view shape = after(header, "'shape':", '(', ')');
  for (const char *at = shape.data(), *end = at + shape.size(); at < end && extent.shape.size() < 32;) {
    std::int64_t n = 0;
    const auto [next, error] = std::from_chars(at, end, n);
    if (error == std::errc()) extent.shape.push_back(n);
    at = error == std::errc() ? next : at + 1;
  }
  tensors.push_back(std::move(extent));
  return true;
}

}  // namespace hone::model
