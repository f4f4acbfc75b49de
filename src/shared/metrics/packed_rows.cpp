#include "shared/metrics/packed_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>

namespace hone::metrics {
namespace {

constexpr std::int64_t kCentreRowsMax = 1001;

template <class T>
double median_of_column(const Matrix<T>& rows, std::int64_t column) {
  const std::int64_t step = std::max<std::int64_t>(1, rows.rows / kCentreRowsMax);
  std::vector<double> values;
  for (std::int64_t row = 0; row < rows.rows; row += step)
    values.push_back(static_cast<double>(rows.values[static_cast<std::size_t>(row * rows.width + column)]));
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::int64_t filled_up(std::int64_t rows, std::int64_t panel) {
  return (rows + panel - 1) / panel * panel;
}

}  // namespace

template <class T>
Result<Frame> frame_of(const Matrix<T>& rows) {
  for (std::size_t i = 0; i < rows.values.size(); ++i)
    if (!std::isfinite(rows.values[i]))
      return fail(Code::invalid, "row " + std::to_string(static_cast<std::int64_t>(i) / rows.width) +
                                     " holds a value that is no finite number; leave such rows out or fill them in");
  Frame frame;
  for (std::int64_t column = 0; column < rows.width; ++column) frame.centre.push_back(median_of_column(rows, column));
  double largest = 0;
  for (std::int64_t row = 0; row < rows.rows; ++row)
    for (std::int64_t column = 0; column < rows.width; ++column) {
      const double value = static_cast<double>(rows.values[static_cast<std::size_t>(row * rows.width + column)]);
      // Halves, because the difference of two finite numbers may not be finite.
      largest = std::max(largest, std::abs(value / 2 - frame.centre[static_cast<std::size_t>(column)] / 2));
    }
  int exponent = 0;
  if (largest > 0) std::frexp(largest, &exponent);
  frame.scale = std::ldexp(1.0, std::clamp(-exponent, -1020, 1000));
  return frame;
}

template <class T>
PackedRows<T>::PackedRows(const Matrix<T>& rows, std::span<const std::int32_t> labels,
                          const std::vector<std::int64_t>& sizes, std::span<const std::int64_t> chosen,
                          const Frame& frame)
    : width_(rows.width) {
  constexpr std::int64_t kPanel = kPanelRows<T>;
  std::vector<std::int64_t> count(sizes.size());
  for (const std::int64_t row : chosen) ++count[static_cast<std::size_t>(labels[static_cast<std::size_t>(row)])];

  std::int64_t places = 0;
  std::int64_t packed = 0;
  std::vector<std::int64_t> next(sizes.size());
  for (std::size_t cluster = 0; cluster < sizes.size(); ++cluster) {
    next[cluster] = places;
    for (std::int64_t done = 0; done < count[cluster]; done += kTileRows) {
      const std::int64_t in_block = std::min(kTileRows, count[cluster] - done);
      blocks_.push_back({{nullptr, nullptr, in_block}, static_cast<std::int32_t>(cluster), places + done});
      packed += filled_up(in_block, kPanel);
    }
    places += count[cluster];
  }
  order_.resize(chosen.size());
  for (const std::int64_t row : chosen)
    order_[static_cast<std::size_t>(next[static_cast<std::size_t>(labels[static_cast<std::size_t>(row)])]++)] = row;
  values_.assign(static_cast<std::size_t>(packed * width_), T{0});
  norms_.assign(static_cast<std::size_t>(packed), T{0});
  copy(rows, frame);
}

template <class T>
void PackedRows<T>::copy(const Matrix<T>& rows, const Frame& frame) {
  constexpr std::int64_t kPanel = kPanelRows<T>;
  std::int64_t start = 0;
  for (Entry& entry : blocks_) {
    T* values = values_.data() + start * width_;
    T* norms = norms_.data() + start;
    for (std::int64_t i = 0; i < entry.block.rows; ++i) {
      const std::int64_t row = order_[static_cast<std::size_t>(entry.first + i)];
      const T* from = rows.values.data() + row * width_;
      T* to = values + i / kPanel * kPanel * width_ + i % kPanel;
      double norm = 0;
      for (std::int64_t p = 0; p < width_; ++p) {
        const auto centred = static_cast<T>(static_cast<double>(from[p]) * frame.scale -
                                            frame.centre[static_cast<std::size_t>(p)] * frame.scale);
        to[p * kPanel] = centred;
        norm += static_cast<double>(centred) * static_cast<double>(centred);
      }
      norms[i] = static_cast<T>(norm);
    }
    entry.block.values = values;
    entry.block.norms = norms;
    start += filled_up(entry.block.rows, kPanel);
  }
}

template Result<Frame> frame_of(const Matrix<float>&);
template Result<Frame> frame_of(const Matrix<double>&);
template class PackedRows<float>;
template class PackedRows<double>;

}  // namespace hone::metrics
