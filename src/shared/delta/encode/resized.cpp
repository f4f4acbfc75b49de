#include "shared/delta/encode/resized.hpp"

#include <algorithm>
#include <cstdint>

namespace hone::delta {
namespace {

constexpr std::uint64_t kRowsMax = 16'384;   // that are told apart
constexpr std::uint64_t kPartBytesMin = 128;  // a shorter one costs more than it saves

std::uint64_t rows_of(const model::TensorExtent& tensor) {
  return tensor.shape.empty() || tensor.shape[0] <= 0 ? 0 : static_cast<std::uint64_t>(tensor.shape[0]);
}

}  // namespace

std::vector<Segment> resized_segments(const model::TensorExtent& base, const model::TensorExtent& target, Type type) {
  const std::uint64_t width = info_of(type).width;
  const std::uint64_t rows_base = rows_of(base);
  const std::uint64_t rows = rows_of(target);
  if (base.shape.size() != target.shape.size() || rows_base == 0 || rows == 0) return {};
  if (base.bytes % (rows_base * width) != 0 || target.bytes % (rows * width) != 0) return {};
  const std::uint64_t row_base = base.bytes / rows_base;
  const std::uint64_t row = target.bytes / rows;
  const std::uint64_t both = std::min(rows, rows_base);

  std::vector<Segment> segments;
  std::uint64_t at = 0;  // in the target's tensor
  const auto add = [&](std::uint64_t bytes, bool has_base, std::uint64_t base_at) {
    if (bytes == 0) return;
    segments.push_back({target.offset + at, bytes, true, type, has_base, has_base ? base.offset + base_at : 0, {}});
    at += bytes;
  };
  if (row == row_base) {
    add(both * row, true, 0);
  } else {
    const std::uint64_t part = std::min(row, row_base);
    if (part < kPartBytesMin || both > kRowsMax) return {};
    for (std::uint64_t r = 0; r < both; ++r) {
      add(part, true, r * row_base);
      add(row - part, false, 0);
    }
  }
  add(target.bytes - at, false, 0);
  return segments;
}

}  // namespace hone::delta
