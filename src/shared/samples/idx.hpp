// The IDX format, in which MNIST and its kin are handed around: two zero bytes, the type, the rank,
// the extents as big-endian 32-bit numbers, then the elements, big-endian, last index fastest.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "shared/wire/signal.hpp"

namespace hone::samples {

struct IdxTensor {
  wire::DType dtype = wire::DType::uint8;
  std::vector<std::int64_t> shape;
  Bytes data;  // little-endian
};

constexpr std::size_t kIdxRankMax = 5;

// `invalid` when it is no IDX file, has a type that signals do not have (float64), or its size is
// not what its header says.
[[nodiscard]] Result<IdxTensor> parse_idx(ByteView file);

}  // namespace hone::samples
