// The safetensors container: u64 little-endian header length, a JSON header, the tensors' bytes.
// Only what a batch needs of it: few tensors that fill the data without gap or overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace hone::wire {

constexpr std::size_t kSafetensorsHeaderBytesMax = std::size_t{64} * 1024;

struct TensorView {
  std::string name;
  std::string dtype;  // "U8", "I64", "F32", ...
  std::vector<std::int64_t> shape;
  ByteView bytes;  // borrowed
};

struct SafetensorsView {
  std::map<std::string, std::string, std::less<>> metadata;
  std::map<std::string, TensorView, std::less<>> tensors;
};

// The tensors' bytes are laid down in the order given, after a header padded to a multiple of 8.
[[nodiscard]] Bytes write_safetensors(const std::map<std::string, std::string, std::less<>>& metadata,
                                      const std::vector<TensorView>& tensors);

// `invalid` for anything malformed: a header over its bound, offsets that leave gaps or overlap, sizes
// that do not fit shape and dtype, more than 16 tensors. The views borrow from `file`.
[[nodiscard]] Result<SafetensorsView> parse_safetensors(ByteView file);

}  // namespace hone::wire
