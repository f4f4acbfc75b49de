// Sums of Euclidean distances between two small blocks of rows: the inner loop of the Silhouette.
#pragma once

#include <array>
#include <cstdint>

namespace hone::metrics {

constexpr std::int64_t kTileRows = 64;  // of a block, at most

// Rows interleaved in a panel: one cache line holds the same column of all of them.
template <class T>
constexpr std::int64_t kPanelRows = 64 / static_cast<std::int64_t>(sizeof(T));

// Up to kTileRows rows in panels of kPanelRows: column p of row i stands at
// values[(i / kPanelRows) * kPanelRows * width + p * kPanelRows + i % kPanelRows]. The last panel is filled with zeros.
template <class T>
struct Block {
  const T* values = nullptr;
  const T* norms = nullptr;  // |x|^2, one a row, the last panel filled up
  std::int64_t rows = 0;
};

struct TileSums {
  std::array<double, kTileRows> rows{};     // over the columns of the tile
  std::array<double, kTileRows> columns{};  // over its rows
};

// For every row of `a` and of `b` the sum of its distances to the rows of the other.
[[nodiscard]] TileSums distance_sums(const Block<double>& a, const Block<double>& b, std::int64_t width);
[[nodiscard]] TileSums distance_sums(const Block<float>& a, const Block<float>& b, std::int64_t width);

}  // namespace hone::metrics
