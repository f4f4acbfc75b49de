// Which holdout rows have a near-identical row in the training part: a model may know those by heart. (Identical
// rows cannot be in both: a row's content decides where it goes.)
//
// Near-identical means closer than 2% of the distance that two rows of the holdout typically have. Exact, and quick
// without comparing all pairs: rows that are close are close along any direction too, so only those are compared
// whose places along four seeded directions agree.
//
//   LeakCheck check(signal);
//   check.add_holdout(x); ... check.prepare(); check.add_training(x); ... check.twins();
//
// Keeps the holdout in memory as floats, at most 1 GiB (rows after that are not checked); the training part streams by. Not for use by two threads at once.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "shared/wire/signal.hpp"

namespace hone::cloud {

constexpr double kTwinDistance = 0.02;

class LeakCheck {
 public:
  explicit LeakCheck(wire::Signal signal);

  // Whole rows in the signal's dtype, little-endian.
  void add_holdout(ByteView rows);
  void prepare();  // once, between the holdout and the training rows
  void add_training(ByteView rows);

  // One a holdout row, in the order in which they were added: 1 when it has a twin.
  [[nodiscard]] const std::vector<std::uint8_t>& twins() const { return twins_; }
  [[nodiscard]] std::int64_t rows_checked() const { return static_cast<std::int64_t>(places_.size()); }
  [[nodiscard]] double distance() const { return distance_; }  // below which two rows are twins

 private:
  static constexpr std::size_t kDirections = 4;
  struct Place {
    std::array<float, kDirections> at{};
    std::uint32_t row = 0;
  };
  [[nodiscard]] std::array<float, kDirections> project(const float* values) const;
  [[nodiscard]] bool near(const float* a, const float* b) const;

  const wire::Signal signal_;
  const std::size_t width_;
  std::vector<float> directions_;  // [kDirections][width]
  std::vector<float> holdout_;
  std::vector<Place> places_;  // sorted along the first direction
  std::vector<std::uint8_t> twins_;
  double distance_ = 0;
};

}  // namespace hone::cloud
