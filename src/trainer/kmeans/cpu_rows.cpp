#include "trainer/kmeans/cpu_rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "shared/metrics/parallel.hpp"
#include "trainer/kmeans/kth_smallest.hpp"
#include "trainer/kmeans/nearest_kernel.hpp"

namespace hone::trainer {
namespace {

constexpr std::int64_t kPieceRows = 1024;  // that one thread passes over at a time: with 32 features, 128 KiB
constexpr std::int64_t kTriedRows = 128;   // whose distances to all candidates stand in the cache
constexpr std::size_t kStripsMax = 16;     // of rows whose sums are made apart and added in order
constexpr std::int32_t kPullsNothing = -1;

template <class T>
T* at(std::vector<T>& values, std::int64_t index) {
  return values.data() + index;
}
template <class T>
const T* at(const std::vector<T>& values, std::int64_t index) {
  return values.data() + index;
}

// What the rows of one strip change in one clustering.
struct Change {
  std::vector<double> sums;     // [k, features]
  std::vector<double> pulling;  // [k]
  std::vector<double> members;  // [k]
  double inertia = 0;
};

class CpuRows final : public ClusterRows {
 public:
  CpuRows(std::span<const float> values, std::int64_t features, int threads);

  std::int64_t rows() const override { return rows_; }
  std::int64_t features() const override { return features_; }
  std::vector<float> gather(std::span<const std::int64_t> numbers) const override;
  void begin_seeds(std::int64_t r) override;
  std::vector<std::int64_t> draw(std::span<const double> fractions) const override;
  std::vector<double> try_seeds(std::span<const float> candidates) const override;
  void take_seeds(std::span<const float> seeds) override;
  Pass pass(std::span<const float> centroids, std::int64_t r, double trim) override;

 private:
  [[nodiscard]] std::vector<float> centred(std::span<const float> values) const;
  [[nodiscard]] std::int64_t panels_of(std::int64_t piece) const {
    return std::min(kPieceRows, padded_ - piece * kPieceRows) / kPanelRows;
  }
  template <class Body>
  void for_each_piece(const Body& body) const {
    metrics::for_each_in_parallel(static_cast<std::size_t>(pieces_), threads_,
                                  [&](std::size_t piece) { body(static_cast<std::int64_t>(piece)); });
  }
  void weigh(std::int64_t clustering, std::int64_t piece);
  void start(std::int64_t r, std::int64_t k);
  void assign(std::span<const float> centroids);
  [[nodiscard]] std::vector<float> farthest_that_pulls(double trim) const;
  void move(std::int64_t clustering, std::int64_t from, std::int64_t to, float limit, Change& change);
  [[nodiscard]] Pass add_up(const std::vector<float>& limits);

  const std::int64_t rows_, features_, padded_, pieces_;
  const int threads_;
  std::vector<double> mean_;    // [features]: subtracted from all that stands below, so that squares keep their digits
  std::vector<float> by_row_;   // [rows, features]
  std::vector<float> panels_;   // the same for the kernel
  std::vector<float> squares_;  // [padded]: |f|^2
  std::int64_t r_ = 0, k_ = 0;  // of the last pass; k_ is 0 while seeds are taken
  std::int64_t seeds_ = 0;
  std::vector<float> weight_;         // [r, padded]
  std::vector<double> piece_weight_;  // [r, pieces]
  std::vector<std::int32_t> nearest_, pulls_;  // [r, padded]; pulls_: the cluster in whose sum the row stands
  std::vector<double> sums_, pulling_;         // [r, k, features], [r, k]
};

std::int64_t filled_up(std::int64_t rows) {
  return (rows + kPanelRows - 1) / kPanelRows * kPanelRows;
}

CpuRows::CpuRows(std::span<const float> values, std::int64_t features, int threads)
    : rows_(static_cast<std::int64_t>(values.size()) / features),
      features_(features),
      padded_(filled_up(rows_)),
      pieces_((padded_ + kPieceRows - 1) / kPieceRows),
      threads_(metrics::thread_count(threads)),
      mean_(static_cast<std::size_t>(features)),
      panels_(static_cast<std::size_t>(padded_ * features)),
      squares_(static_cast<std::size_t>(padded_)) {
  for (std::int64_t row = 0; row < rows_; ++row)
    for (std::int64_t p = 0; p < features_; ++p)
      *at(mean_, p) += static_cast<double>(values[static_cast<std::size_t>(row * features_ + p)]);
  for (double& mean : mean_) mean /= static_cast<double>(std::max<std::int64_t>(1, rows_));
  by_row_ = centred(values);
  for (std::int64_t row = 0; row < rows_; ++row) {
    const float* from = at(by_row_, row * features_);
    float* to = at(panels_, row / kPanelRows * kPanelRows * features_ + row % kPanelRows);
    float square = 0;
    for (std::int64_t p = 0; p < features_; ++p) {
      to[p * kPanelRows] = from[p];
      square += from[p] * from[p];
    }
    *at(squares_, row) = square;
  }
}

std::vector<float> CpuRows::centred(std::span<const float> values) const {
  std::vector<float> result(values.size());
  std::size_t p = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    result[i] = static_cast<float>(static_cast<double>(values[i]) - mean_[p]);
    if (++p == mean_.size()) p = 0;
  }
  return result;
}

std::vector<float> CpuRows::gather(std::span<const std::int64_t> numbers) const {
  std::vector<float> result;
  result.reserve(numbers.size() * mean_.size());
  for (const std::int64_t number : numbers)
    for (std::int64_t p = 0; p < features_; ++p)
      result.push_back(static_cast<float>(static_cast<double>(*at(by_row_, number * features_ + p)) + *at(mean_, p)));
  return result;
}

void CpuRows::begin_seeds(std::int64_t r) {
  r_ = r;
  k_ = seeds_ = 0;
  weight_.assign(static_cast<std::size_t>(r * padded_), 0);
  piece_weight_.resize(static_cast<std::size_t>(r * pieces_));
  for (std::int64_t j = 0; j < r; ++j) {
    std::fill_n(at(weight_, j * padded_), rows_, 1.0F);
    for (std::int64_t piece = 0; piece < pieces_; ++piece) weigh(j, piece);
  }
}

void CpuRows::weigh(std::int64_t clustering, std::int64_t piece) {
  const std::int64_t end = std::min(rows_, (piece + 1) * kPieceRows);
  double sum = 0;
  for (std::int64_t row = piece * kPieceRows; row < end; ++row)
    sum += static_cast<double>(*at(weight_, clustering * padded_ + row));
  *at(piece_weight_, clustering * pieces_ + piece) = sum;
}

std::vector<std::int64_t> CpuRows::draw(std::span<const double> fractions) const {
  std::vector<std::int64_t> result;
  const auto each = static_cast<std::int64_t>(fractions.size()) / r_;
  for (std::int64_t j = 0; j < r_; ++j) {
    const double* pieces = at(piece_weight_, j * pieces_);
    double all = 0;
    for (std::int64_t piece = 0; piece < pieces_; ++piece) all += pieces[piece];
    for (std::int64_t i = 0; i < each; ++i) {
      double before = fractions[static_cast<std::size_t>(j * each + i)] * all;
      std::int64_t piece = 0;
      while (piece + 1 < pieces_ && before >= pieces[piece]) before -= pieces[piece++];
      std::int64_t row = piece * kPieceRows;
      const std::int64_t last = std::min(rows_, (piece + 1) * kPieceRows) - 1;
      for (; row < last; ++row) {
        before -= static_cast<double>(*at(weight_, j * padded_ + row));
        if (before < 0) break;
      }
      result.push_back(row);
    }
  }
  return result;
}

std::vector<double> CpuRows::try_seeds(std::span<const float> candidates) const {
  const std::int64_t count = static_cast<std::int64_t>(candidates.size()) / features_, each = count / r_;
  const PackedCentroids packed(centred(candidates), features_);
  std::vector<double> remaining(static_cast<std::size_t>(pieces_ * count));
  for_each_piece([&](std::int64_t piece) {
    std::vector<float> distances(static_cast<std::size_t>(count * kTriedRows));
    const std::int64_t end = piece * kPieceRows + panels_of(piece) * kPanelRows;
    for (std::int64_t row = piece * kPieceRows; row < end; row += kTriedRows) {
      const std::int64_t tried = std::min(kTriedRows, end - row);
      distances_in_panels(at(panels_, row * features_), tried / kPanelRows, packed, distances.data());
      const float* squares = at(squares_, row);
      for (std::int64_t c = 0; c < count; ++c) {
        const float* weights = at(weight_, c / each * padded_ + row);  // 0 in the rows that only fill up
        const float* to_candidate = at(distances, c * tried);
        std::array<float, kPanelRows> lanes{};
        for (std::int64_t i = 0; i < tried; i += kPanelRows)
          for (std::int64_t lane = 0; lane < kPanelRows; ++lane) {
            const float distance = to_candidate[i + lane] + squares[i + lane];
            const float near = distance < weights[i + lane] ? distance : weights[i + lane];
            lanes[static_cast<std::size_t>(lane)] += near > 0 ? near : 0;
          }
        for (const float lane : lanes) *at(remaining, piece * count + c) += static_cast<double>(lane);
      }
    }
  });
  std::vector<double> result(static_cast<std::size_t>(count));
  for (std::int64_t piece = 0; piece < pieces_; ++piece)
    for (std::int64_t c = 0; c < count; ++c) *at(result, c) += *at(remaining, piece * count + c);
  return result;
}

void CpuRows::take_seeds(std::span<const float> seeds) {
  const PackedCentroids packed(centred(seeds), features_);
  const bool first = seeds_++ == 0;
  for_each_piece([&](std::int64_t piece) {
    const std::int64_t row = piece * kPieceRows, panels = panels_of(piece), padded = panels * kPanelRows;
    std::vector<float> distances(static_cast<std::size_t>(r_ * padded));
    distances_in_panels(at(panels_, row * features_), panels, packed, distances.data());
    const std::int64_t end = std::min(rows_ - row, padded);
    for (std::int64_t j = 0; j < r_; ++j) {
      float* weights = at(weight_, j * padded_ + row);
      for (std::int64_t i = 0; i < end; ++i) {
        const float distance = std::max(0.0F, *at(distances, j * padded + i) + *at(squares_, row + i));
        weights[i] = first ? distance : std::min(weights[i], distance);
      }
      weigh(j, piece);
    }
  });
}

void CpuRows::start(std::int64_t r, std::int64_t k) {
  r_ = r;
  k_ = k;
  weight_.resize(static_cast<std::size_t>(r * padded_));
  piece_weight_.resize(static_cast<std::size_t>(r * pieces_));
  nearest_.resize(static_cast<std::size_t>(r * padded_));
  pulls_.assign(static_cast<std::size_t>(r * padded_), kPullsNothing);
  sums_.assign(static_cast<std::size_t>(r * k * features_), 0);
  pulling_.assign(static_cast<std::size_t>(r * k), 0);
}

void CpuRows::assign(std::span<const float> centroids) {
  std::vector<PackedCentroids> packed;
  const std::vector<float> near_zero = centred(centroids);
  const auto size = static_cast<std::size_t>(k_ * features_);
  for (std::int64_t j = 0; j < r_; ++j)
    packed.emplace_back(std::span(near_zero).subspan(static_cast<std::size_t>(j) * size, size), features_);
  for_each_piece([&](std::int64_t piece) {
    const std::int64_t row = piece * kPieceRows, panels = panels_of(piece);
    for (std::int64_t j = 0; j < r_; ++j) {
      float* weights = at(weight_, j * padded_ + row);
      nearest_in_panels(at(panels_, row * features_), panels, packed[static_cast<std::size_t>(j)], weights,
                        at(nearest_, j * padded_ + row));
      const float* squares = at(squares_, row);
      for (std::int64_t i = 0; i < panels * kPanelRows; ++i) {
        const float distance = weights[i] + squares[i];
        weights[i] = distance > 0 ? distance : 0;
      }
    }
  });
}

std::vector<float> CpuRows::farthest_that_pulls(double trim) const {
  std::vector<float> limits(static_cast<std::size_t>(r_), std::numeric_limits<float>::infinity());
  const std::int64_t keep = std::max<std::int64_t>(1, std::llround((1 - trim) * static_cast<double>(rows_)));
  if (keep >= rows_) return limits;
  metrics::for_each_in_parallel(limits.size(), threads_, [&](std::size_t j) {
    const float* weights = at(weight_, static_cast<std::int64_t>(j) * padded_);
    limits[j] = kth_smallest({weights, static_cast<std::size_t>(rows_)}, static_cast<std::size_t>(keep - 1));
  });
  return limits;
}

// Rows whose cluster has changed, or that begin or cease to pull, move from sum to sum.
void CpuRows::move(std::int64_t clustering, std::int64_t from, std::int64_t to, float limit, Change& change) {
  float* weights = at(weight_, clustering * padded_);
  const std::int32_t* nearest = at(nearest_, clustering * padded_);
  std::int32_t* pulls = at(pulls_, clustering * padded_);
  for (std::int64_t row = from; row < to; ++row) {
    *at(change.members, nearest[row]) += 1;
    const bool far = weights[row] > limit;
    const std::int32_t cluster = far ? kPullsNothing : nearest[row];
    if (far) weights[row] = 0;
    change.inertia += static_cast<double>(weights[row]);
    const std::int32_t before = std::exchange(pulls[row], cluster);
    if (before == cluster) continue;
    const float* values = at(by_row_, row * features_);
    if (before != kPullsNothing) {
      *at(change.pulling, before) -= 1;
      double* sums = at(change.sums, before * features_);
      for (std::int64_t p = 0; p < features_; ++p) sums[p] -= static_cast<double>(values[p]);
    }
    if (cluster != kPullsNothing) {
      *at(change.pulling, cluster) += 1;
      double* sums = at(change.sums, cluster * features_);
      for (std::int64_t p = 0; p < features_; ++p) sums[p] += static_cast<double>(values[p]);
    }
  }
}

Pass CpuRows::add_up(const std::vector<float>& limits) {
  const auto clusters = static_cast<std::size_t>(k_), width = static_cast<std::size_t>(features_);
  const std::size_t strips = std::min(kStripsMax, static_cast<std::size_t>(pieces_));
  const std::int64_t strip_rows = (pieces_ + static_cast<std::int64_t>(strips) - 1) / static_cast<std::int64_t>(strips) * kPieceRows;
  std::vector<Change> changes(strips * static_cast<std::size_t>(r_));
  metrics::for_each_in_parallel(changes.size(), threads_, [&](std::size_t i) {
    Change& change = changes[i];
    change.sums.assign(clusters * width, 0);
    change.pulling.assign(clusters, 0);
    change.members.assign(clusters, 0);
    const auto j = static_cast<std::int64_t>(i / strips), strip = static_cast<std::int64_t>(i % strips);
    const std::int64_t from = std::min(rows_, strip * strip_rows), to = std::min(rows_, from + strip_rows);
    move(j, from, to, limits[static_cast<std::size_t>(j)], change);
    for (std::int64_t row = from; row < to; row += kPieceRows) weigh(j, row / kPieceRows);
  });

  Pass pass;
  pass.members.assign(static_cast<std::size_t>(r_) * clusters, 0);
  pass.inertia.assign(static_cast<std::size_t>(r_), 0);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const std::size_t j = i / strips;
    const Change& change = changes[i];
    for (std::size_t s = 0; s < change.sums.size(); ++s) sums_[j * clusters * width + s] += change.sums[s];
    for (std::size_t c = 0; c < clusters; ++c) {
      pulling_[j * clusters + c] += change.pulling[c];
      pass.members[j * clusters + c] += change.members[c];
    }
    pass.inertia[j] += change.inertia;
  }
  pass.pulling = pulling_;
  pass.sums = sums_;
  for (std::size_t s = 0; s < pass.sums.size(); ++s) pass.sums[s] += pulling_[s / width] * mean_[s % width];
  return pass;
}

Pass CpuRows::pass(std::span<const float> centroids, std::int64_t r, double trim) {
  const std::int64_t k = static_cast<std::int64_t>(centroids.size()) / features_ / r;
  if (r != r_ || k != k_) start(r, k);
  assign(centroids);
  return add_up(farthest_that_pulls(trim));
}

}  // namespace

std::unique_ptr<ClusterRows> make_cpu_rows(std::span<const float> values, std::int64_t features, int threads) {
  return std::make_unique<CpuRows>(values, features, threads);
}

}  // namespace hone::trainer
