#include "shared/wire/npy.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>

namespace hone::wire {
namespace {

constexpr std::string_view kMagic{"\x93NUMPY\x01\x00", 8};
constexpr std::size_t kPreamble = 10;  // magic, version, u16 length
constexpr std::size_t kAlign = 64;
constexpr std::size_t kHeaderBytesMax = 4096;
constexpr std::size_t kRankMax = 8;

struct Descr {
  std::string_view name;
  std::size_t bytes;
};
constexpr std::array kDescrs{Descr{"|u1", 1}, Descr{"|i1", 1}, Descr{"<i2", 2}, Descr{"<i4", 4},
                             Descr{"<i8", 8}, Descr{"<f4", 4}, Descr{"<f8", 8}};

std::optional<std::size_t> bytes_of(std::string_view descr) {
  for (const Descr& known : kDescrs)
    if (known.name == descr) return known.bytes;
  return std::nullopt;
}

tl::unexpected<Error> malformed(std::string_view why) {
  return fail(Code::invalid, "not a .npy file that hone reads: " + std::string(why));
}

// The header is a Python dict literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class Literal {
 public:
  explicit Literal(std::string_view text) : text_(text) {}

  bool take(std::string_view token) {
    skip_spaces();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  std::optional<std::string_view> quoted() {
    skip_spaces();
    if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return std::nullopt;
    const std::size_t end = text_.find(text_[at_], at_ + 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view inner = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return inner;
  }

  std::optional<std::int64_t> whole_number() {
    skip_spaces();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc() || value < 0) return std::nullopt;
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }

  std::optional<std::vector<std::int64_t>> tuple() {
    if (!take("(")) return std::nullopt;
    std::vector<std::int64_t> items;
    while (!take(")")) {
      const auto item = whole_number();
      if (!item || items.size() == kRankMax) return std::nullopt;
      items.push_back(*item);
      if (take(",")) continue;
      if (!take(")")) return std::nullopt;
      break;
    }
    return items;
  }

  bool at_end() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    return at_ == text_.size();
  }

 private:
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string_view npy_descr(DType dtype) {
  switch (dtype) {
    case DType::uint8: return "|u1";
    case DType::int8: return "|i1";
    case DType::int16: return "<i2";
    case DType::int32: return "<i4";
    case DType::float32: return "<f4";
  }
  return "";
}

Bytes npy_header(std::string_view descr, const std::vector<std::int64_t>& shape) {
  std::string dict = "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) dict += ", ";
    dict += std::to_string(shape[i]);
  }
  dict += shape.size() == 1 ? ",), }" : "), }";
  const std::size_t unpadded = kPreamble + dict.size() + 1;
  dict.append((kAlign - unpadded % kAlign) % kAlign, ' ');
  dict += '\n';

  Bytes header = hone::to_bytes(kMagic);
  header.push_back(static_cast<std::uint8_t>(dict.size() & 0xff));
  header.push_back(static_cast<std::uint8_t>(dict.size() >> 8));
  header.insert(header.end(), dict.begin(), dict.end());
  return header;
}

Result<NpyHeader> parse_npy(ByteView file, std::uint64_t file_bytes) {
  if (file.size() < kPreamble) return malformed("it is too short");
  if (as_text(file.first(kMagic.size())) != kMagic) return malformed("it does not begin as .npy version 1.0 does");
  const std::size_t length = file[8] + (std::size_t{file[9]} << 8);
  if (length > kHeaderBytesMax) return malformed("its header is longer than 4096 bytes");
  if (kPreamble + length > file.size()) return malformed("it ends inside its header");
  if ((kPreamble + length) % kAlign != 0) return malformed("its elements do not begin at a multiple of 64 bytes");

  NpyHeader header;
  header.data_offset = kPreamble + length;
  bool has_descr = false;
  bool has_order = false;
  bool has_shape = false;
  Literal literal(as_text(file.subspan(kPreamble, length)));
  if (!literal.take("{")) return malformed("its header is no dict");
  while (!literal.take("}")) {
    const auto key = literal.quoted();
    if (!key || !literal.take(":")) return malformed("its header is no dict");
    if (*key == "descr" && !has_descr) {
      const auto descr = literal.quoted();
      if (!descr) return malformed("its descr is no plain type");
      header.descr = *descr;
      has_descr = true;
    } else if (*key == "fortran_order" && !has_order) {
      if (!literal.take("False")) return malformed("it must be in C order");
      has_order = true;
    } else if (*key == "shape" && !has_shape) {
      auto shape = literal.tuple();
      if (!shape) return malformed("its shape must be a tuple of at most 8 whole numbers");
      header.shape = std::move(*shape);
      has_shape = true;
    } else {
      return malformed("its header has a key that is unknown or there twice");
    }
    if (literal.take(",")) continue;
    if (!literal.take("}")) return malformed("its header is no dict");
    break;
  }
  if (!literal.at_end()) return malformed("something follows its header's dict");
  if (!has_descr || !has_order || !has_shape) return malformed("its header lacks descr, fortran_order or shape");

  const auto item_bytes = bytes_of(header.descr);
  if (!item_bytes) return malformed("its type is none of |u1 |i1 <i2 <i4 <i8 <f4 <f8");
  std::uint64_t data_bytes = *item_bytes;
  for (const std::int64_t extent : header.shape) {
    const auto factor = static_cast<std::uint64_t>(extent);
    // Compared with the file's size as it grows, so that the product cannot overflow.
    if (factor != 0 && data_bytes > file_bytes / factor) return malformed("it is shorter than its shape says");
    data_bytes *= factor;
  }
  if (file_bytes < header.data_offset || data_bytes != file_bytes - header.data_offset)
    return malformed("its size and its shape disagree");
  header.data_bytes = static_cast<std::size_t>(data_bytes);
  return header;
}

}  // namespace hone::wire
