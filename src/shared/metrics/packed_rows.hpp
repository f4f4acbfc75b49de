// Rows centred, scaled and laid out as distance_sums wants them: sorted by cluster, in blocks that hold rows of
// one cluster only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "shared/metrics/distance_tile.hpp"
#include "shared/metrics/silhouette.hpp"

namespace hone::metrics {

// What is subtracted from every row and multiplied onto it. The centre is near the middle of the rows (a median of
// some of them, so that a few far rows do not drag it away); the scale is a power of two, so that no square
// overflows or vanishes. Neither changes a Silhouette.
struct Frame {
  std::vector<double> centre;
  double scale = 1;
};

// `invalid` when a value is no finite number.
template <class T>
[[nodiscard]] Result<Frame> frame_of(const Matrix<T>& rows);

// The rows named by `chosen` (indices), grouped by their cluster. Owns its copy.
template <class T>
class PackedRows {
 public:
  struct Entry {
    Block<T> block;
    std::int32_t cluster = 0;
    std::int64_t first = 0;  // place of its first row in order()
  };

  PackedRows(const Matrix<T>& rows, std::span<const std::int32_t> labels, const std::vector<std::int64_t>& sizes,
             std::span<const std::int64_t> chosen, const Frame& frame);

  [[nodiscard]] const std::vector<Entry>& blocks() const { return blocks_; }
  [[nodiscard]] const std::vector<std::int64_t>& order() const { return order_; }  // place -> index of the row
  [[nodiscard]] std::int64_t width() const { return width_; }

 private:
  void copy(const Matrix<T>& rows, const Frame& frame);

  std::int64_t width_;
  std::vector<std::int64_t> order_;
  std::vector<T> values_, norms_;
  std::vector<Entry> blocks_;
};

}  // namespace hone::metrics
