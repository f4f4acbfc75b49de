#include "cloud/gate/leak.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <utility>

#include "shared/metrics/draw.hpp"
#include "shared/wire/sample_values.hpp"

namespace hone::cloud {
namespace {

constexpr std::uint64_t kSeed = 0x686f6e65;  // any; fixed, so that the same data gives the same twins
constexpr int kPairs = 1'001;
constexpr std::size_t kFloatsMax = std::size_t{1} << 28;

double distance_between(const float* a, const float* b, std::size_t width) {
  double sum = 0;
  for (std::size_t i = 0; i < width; ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

}  // namespace

LeakCheck::LeakCheck(wire::Signal signal) : signal_(std::move(signal)), width_(signal_.elements()) {
  std::mt19937_64 random(kSeed);
  const auto length = static_cast<float>(1 / std::sqrt(static_cast<double>(width_)));
  for (std::size_t i = 0; i < kDirections * width_; ++i) directions_.push_back(random() & 1 ? length : -length);
}

void LeakCheck::add_holdout(ByteView rows) {
  const std::size_t bytes = signal_.sample_bytes();
  for (std::size_t at = 0; at + bytes <= rows.size(); at += bytes) {
    twins_.push_back(0);
    if (holdout_.size() + width_ > kFloatsMax) continue;
    wire::append_values(signal_.dtype, rows.subspan(at, bytes), holdout_);
  }
}

std::array<float, LeakCheck::kDirections> LeakCheck::project(const float* values) const {
  std::array<float, kDirections> place{};
  for (std::size_t d = 0; d < kDirections; ++d) {
    double sum = 0;
    for (std::size_t i = 0; i < width_; ++i)
      sum += static_cast<double>(values[i]) * static_cast<double>(directions_[d * width_ + i]);
    place[d] = static_cast<float>(sum);
  }
  return place;
}

void LeakCheck::prepare() {
  const std::size_t rows = holdout_.size() / width_;
  if (rows < 2) return;
  std::mt19937_64 random(kSeed);
  std::vector<double> distances;
  for (int pair = 0; pair < kPairs; ++pair) {
    const std::size_t a = metrics::draw_below(random, rows);
    const std::size_t b = (a + 1 + metrics::draw_below(random, rows - 1)) % rows;
    distances.push_back(distance_between(holdout_.data() + a * width_, holdout_.data() + b * width_, width_));
  }
  std::nth_element(distances.begin(), distances.begin() + kPairs / 2, distances.end());
  distance_ = kTwinDistance * distances[kPairs / 2];
  for (std::size_t row = 0; row < rows; ++row)
    places_.push_back({project(holdout_.data() + row * width_), static_cast<std::uint32_t>(row)});
  std::sort(places_.begin(), places_.end(), [](const Place& a, const Place& b) { return a.at[0] < b.at[0]; });
}

bool LeakCheck::near(const float* a, const float* b) const {
  const double bound = distance_ * distance_;
  double sum = 0;
  for (std::size_t i = 0; i < width_; ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
    if (sum > bound) return false;
  }
  return true;
}

void LeakCheck::add_training(ByteView rows) {
  if (!(distance_ > 0)) return;
  const std::size_t bytes = signal_.sample_bytes();
  const auto reach = static_cast<float>(distance_ * 1.001);  // projections are rounded to float
  std::vector<float> values;
  for (std::size_t at = 0; at + bytes <= rows.size(); at += bytes) {
    values.clear();
    wire::append_values(signal_.dtype, rows.subspan(at, bytes), values);
    const auto mine = project(values.data());
    auto place = std::lower_bound(places_.begin(), places_.end(), mine[0] - reach,
                                  [](const Place& p, float bound) { return p.at[0] < bound; });
    for (; place != places_.end() && place->at[0] <= mine[0] + reach; ++place) {
      if (twins_[place->row] != 0) continue;
      bool candidate = true;
      for (std::size_t d = 1; d < kDirections && candidate; ++d)
        candidate = std::abs(place->at[d] - mine[d]) <= reach;
      if (candidate && near(holdout_.data() + place->row * width_, values.data())) twins_[place->row] = 1;
    }
  }
}

}  // namespace hone::cloud
