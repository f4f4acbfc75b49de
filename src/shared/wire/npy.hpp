// NumPy's .npy format, version 1.0 (NEP 1), C order, little-endian: |u1 |i1 <i2 <i4 <i8 <f4 <f8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "shared/wire/signal.hpp"

namespace hone::wire {

struct NpyHeader {
  std::string descr;  // "|u1", "<f4", ...
  std::vector<std::int64_t> shape;
  std::size_t data_offset = 0;  // where the elements begin, a multiple of 64
  std::size_t data_bytes = 0;
};

// How .npy names a dtype: "|u1", "<f4".
[[nodiscard]] std::string_view npy_descr(DType dtype);

[[nodiscard]] Bytes npy_header(std::string_view descr, const std::vector<std::int64_t>& shape);

// Parses and bounds the header of `file` (the whole file, or at least its header), whose size is
// `file_bytes`. `invalid` when it is no such file or the sizes disagree.
[[nodiscard]] Result<NpyHeader> parse_npy(ByteView file, std::uint64_t file_bytes);

}  // namespace hone::wire
