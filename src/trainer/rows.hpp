// The training part of a dataset version in memory: raw samples as they were sensed, never copied
// to floats as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "shared/wire/signal.hpp"
#include "shared/wire/stream.hpp"

namespace hone::trainer {

// When a window of a stream was sensed, and by which of the dataset's devices.
struct Sensed {
  std::int64_t t_ms = 0;
  std::int32_t device = 0;
};

struct Rows {
  wire::Signal signal;
  Bytes x;                      // rows() * signal.sample_bytes(), one sample after another
  std::vector<std::int64_t> y;  // label index within signal.labels, or -1: nobody told

  std::optional<wire::Stream> stream;  // the samples are windows that may overlap
  std::vector<Sensed> sensed;          // of a stream, one a row; empty: one device, in order, no gaps

  [[nodiscard]] std::size_t rows() const { return y.size(); }
  [[nodiscard]] ByteView sample(std::size_t row) const {
    return ByteView(x).subspan(row * signal.sample_bytes(), signal.sample_bytes());
  }
};

// Drops the rows that hold a NaN or an infinity, which whole numbers never do; how many these were.
std::size_t drop_rows_without_a_number(Rows& rows);

// Drops the rows that nobody labelled; how many these were.
std::size_t drop_rows_without_a_label(Rows& rows);

// How many of the rows share no reading with one another: windows of a stream that overlap say less than their number.
[[nodiscard]] double rows_without_overlap(const Rows& rows);

// Which rows the weights are fitted to, and which choose the best epoch.
struct Split {
  std::vector<std::int64_t> fit;
  std::vector<std::int64_t> validation;
  bool validates_fitted = false;  // the rows are too few for both sides
};

// About a tenth of the rows validate, chosen by a hash of their content: a sample stays on its
// side in every later version of the dataset, so that a model trained warm is not validated on
// what its base was fitted to, and a duplicate cannot stand on both sides. Of a stream, whole blocks of a device's time
// are chosen, as the holdout is (wire::set_apart): overlapping windows do not stand on both sides, and those that reach
// over a border are on neither. (The holdout is apart from all of this: a trainer never sees it.) When the rows are too
// few for both sides, all of them are on both.
[[nodiscard]] Split split_by_content(const Rows& rows);

}  // namespace hone::trainer
