#include "shared/metrics/silhouette.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <utility>

#include "shared/metrics/draw.hpp"
#include "shared/metrics/packed_rows.hpp"
#include "shared/metrics/parallel.hpp"

namespace hone::metrics {
namespace {

constexpr std::int32_t kLabelsMax = 1 << 20;
constexpr std::size_t kSumsMax = std::size_t{1} << 25;  // 256 MiB of doubles

Result<std::vector<std::int64_t>> sizes_of(std::span<const std::int32_t> labels) {
  std::vector<std::int64_t> sizes;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const std::int32_t label = labels[row];
    if (label < 0 || label >= kLabelsMax)
      return fail(Code::invalid, "row " + std::to_string(row) + " has the cluster " + std::to_string(label) +
                                     "; clusters are numbered from 0 to " + std::to_string(kLabelsMax - 1));
    if (static_cast<std::size_t>(label) >= sizes.size()) sizes.resize(static_cast<std::size_t>(label) + 1);
    ++sizes[static_cast<std::size_t>(label)];
  }
  const auto clusters = std::count_if(sizes.begin(), sizes.end(), [](std::int64_t size) { return size > 0; });
  if (clusters < 2)
    return fail(Code::invalid, "a Silhouette needs at least 2 clusters that have rows, and there " +
                                   std::string(clusters == 1 ? "is 1" : "is none"));
  if (static_cast<std::size_t>(clusters) == labels.size())
    return fail(Code::invalid, "every one of the " + std::to_string(labels.size()) +
                                   " rows is a cluster of its own; a Silhouette needs fewer clusters than rows");
  return sizes;
}

template <class T>
Result<> check_shape(const Matrix<T>& rows, std::span<const std::int32_t> labels) {
  if (rows.rows < 0 || rows.width < 1 ||
      rows.values.size() != static_cast<std::size_t>(rows.rows) * static_cast<std::size_t>(rows.width))
    return fail(Code::invalid, "the matrix has " + std::to_string(rows.values.size()) + " values, which are not " +
                                   std::to_string(rows.rows) + " rows of " + std::to_string(rows.width));
  if (labels.size() != static_cast<std::size_t>(rows.rows))
    return fail(Code::invalid, "there are " + std::to_string(labels.size()) + " cluster labels for " +
                                   std::to_string(rows.rows) + " rows");
  return {};
}

// Of one row. Both distances are 0 for the row of a cluster of one.
struct RowDistances {
  double own = 0, nearest = 0;  // a and b
  std::size_t nearest_cluster = 0;

  [[nodiscard]] double silhouette() const {
    const double larger = std::max(own, nearest);
    return larger > 0 ? (nearest - own) / larger : 0;
  }
};

// From the sums of one row's distances to each cluster, `stride` apart.
RowDistances distances_of(const double* sums, std::size_t stride, std::size_t own, const std::vector<std::int64_t>& sizes) {
  if (sizes[own] <= 1) return {};
  RowDistances row{sums[own * stride] / static_cast<double>(sizes[own] - 1), std::numeric_limits<double>::infinity(), own};
  for (std::size_t cluster = 0; cluster < sizes.size(); ++cluster) {
    if (cluster == own || sizes[cluster] == 0) continue;
    const double away = sums[cluster * stride] / static_cast<double>(sizes[cluster]);
    if (away < row.nearest) row = {row.own, away, cluster};
  }
  return row;
}

double silhouette_of(const double* sums, std::size_t stride, std::size_t own, const std::vector<std::int64_t>& sizes) {
  return distances_of(sums, stride, own, sizes).silhouette();
}

Silhouette summary_of(std::vector<double> rows, std::span<const std::int32_t> labels, std::vector<std::int64_t> sizes) {
  Silhouette result;
  result.clusters.assign(sizes.size(), 0);
  for (std::size_t row = 0; row < rows.size(); ++row)
    result.clusters[static_cast<std::size_t>(labels[row])] += rows[row];
  result.mean = std::accumulate(rows.begin(), rows.end(), 0.0) / static_cast<double>(rows.size());
  for (std::size_t cluster = 0; cluster < sizes.size(); ++cluster)
    if (sizes[cluster] > 0) result.clusters[cluster] /= static_cast<double>(sizes[cluster]);
  result.rows = std::move(rows);
  result.sizes = std::move(sizes);
  return result;
}

// What one block of rows adds to the sums: its own rows, and all rows that stand after it.
struct Strip {
  std::vector<double> own;    // [cluster][kTileRows]
  std::vector<double> after;  // one a place
};

template <class T>
void measure(const PackedRows<T>& packed, std::size_t index, std::size_t clusters, Strip& strip) {
  const auto& blocks = packed.blocks();
  const auto& mine = blocks[index];
  strip.own.assign(clusters * kTileRows, 0);
  for (std::size_t j = index; j < blocks.size(); ++j) {
    const auto& other = blocks[j];
    const TileSums tile = distance_sums(mine.block, other.block, packed.width());
    double* own = strip.own.data() + static_cast<std::size_t>(other.cluster) * kTileRows;
    for (std::size_t i = 0; i < static_cast<std::size_t>(mine.block.rows); ++i) own[i] += tile.rows[i];
    if (j > index) std::copy_n(tile.columns.begin(), other.block.rows, strip.after.begin() + other.first);
  }
}

// sums[cluster * n + place]. Each tile above the diagonal serves both of its sides, which halves the work. Strips
// are added in the order of the blocks, whichever thread measured them, so that threads do not change a bit.
template <class T>
std::vector<double> sums_by_symmetry(const PackedRows<T>& packed, std::size_t clusters, int threads) {
  const auto& blocks = packed.blocks();
  const std::size_t n = packed.order().size();
  std::vector<double> sums(clusters * n);
  std::vector<Strip> strips(std::min(blocks.size(), static_cast<std::size_t>(threads) * 4));
  for (Strip& strip : strips) strip.after.resize(n);
  for (std::size_t begin = 0; begin < blocks.size(); begin += strips.size()) {
    const std::size_t count = std::min(strips.size(), blocks.size() - begin);
    for_each_in_parallel(count, threads, [&](std::size_t k) { measure(packed, begin + k, clusters, strips[k]); });
    for (std::size_t k = 0; k < count; ++k) {
      const auto& mine = blocks[begin + k];
      const auto first = static_cast<std::size_t>(mine.first);
      const auto rows = static_cast<std::size_t>(mine.block.rows);
      for (std::size_t cluster = 0; cluster < clusters; ++cluster)
        for (std::size_t i = 0; i < rows; ++i) sums[cluster * n + first + i] += strips[k].own[cluster * kTileRows + i];
      double* to = sums.data() + static_cast<std::size_t>(mine.cluster) * n;
      for (std::size_t place = first + rows; place < n; ++place) to[place] += strips[k].after[place];
    }
  }
  return sums;
}

// The distances of each of `queries`' rows to all of `packed`, by place in queries.order(). Needs memory for one
// block's sums only.
template <class T>
std::vector<RowDistances> distances_row_by_row(const PackedRows<T>& queries, const PackedRows<T>& packed,
                                               const std::vector<std::int64_t>& sizes, int threads) {
  std::vector<RowDistances> result(queries.order().size());
  for_each_in_parallel(queries.blocks().size(), threads, [&](std::size_t index) {
    const auto& mine = queries.blocks()[index];
    std::vector<double> sums(sizes.size() * kTileRows);
    for (const auto& other : packed.blocks()) {
      const TileSums tile = distance_sums(mine.block, other.block, packed.width());
      double* to = sums.data() + static_cast<std::size_t>(other.cluster) * kTileRows;
      for (std::size_t i = 0; i < static_cast<std::size_t>(mine.block.rows); ++i) to[i] += tile.rows[i];
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(mine.block.rows); ++i)
      result[static_cast<std::size_t>(mine.first) + i] =
          distances_of(sums.data() + i, kTileRows, static_cast<std::size_t>(mine.cluster), sizes);
  });
  return result;
}

template <class T>
std::vector<double> silhouettes_row_by_row(const PackedRows<T>& queries, const PackedRows<T>& packed,
                                           const std::vector<std::int64_t>& sizes, int threads) {
  std::vector<double> result;
  for (const RowDistances& row : distances_row_by_row(queries, packed, sizes, threads)) result.push_back(row.silhouette());
  return result;
}

std::vector<std::int64_t> all_rows(std::size_t n) {
  std::vector<std::int64_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

template <class T>
Result<Silhouette> exact(const Matrix<T>& rows, std::span<const std::int32_t> labels, int threads) {
  HONE_CHECK(check_shape(rows, labels));
  HONE_TRY(std::vector<std::int64_t> sizes, sizes_of(labels));
  HONE_TRY(const Frame frame, frame_of(rows));
  const PackedRows<T> packed(rows, labels, sizes, all_rows(labels.size()), frame);
  const std::size_t n = labels.size();

  std::vector<double> values(n);
  if (sizes.size() <= kSumsMax / n) {
    const std::vector<double> sums = sums_by_symmetry(packed, sizes.size(), thread_count(threads));
    for (std::size_t place = 0; place < n; ++place) {
      const auto row = static_cast<std::size_t>(packed.order()[place]);
      values[row] = silhouette_of(sums.data() + place, n, static_cast<std::size_t>(labels[row]), sizes);
    }
  } else {
    const std::vector<double> by_place = silhouettes_row_by_row(packed, packed, sizes, thread_count(threads));
    for (std::size_t place = 0; place < n; ++place)
      values[static_cast<std::size_t>(packed.order()[place])] = by_place[place];
  }
  return summary_of(std::move(values), labels, std::move(sizes));
}

// How many rows of each cluster are drawn: in proportion, but at least kClusterSampleMin where there are so many.
constexpr std::int64_t kClusterSampleMin = 30;

std::vector<std::int64_t> sample_sizes(const std::vector<std::int64_t>& sizes, std::int64_t rows,
                                       std::int64_t sample_rows) {
  std::vector<std::int64_t> wanted;
  for (const std::int64_t size : sizes) {
    const double share = static_cast<double>(size) / static_cast<double>(rows);
    const auto fair = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(sample_rows)));
    wanted.push_back(std::min(size, std::max(fair, kClusterSampleMin)));
  }
  return wanted;
}

std::vector<std::int64_t> draw_sample(std::span<const std::int32_t> labels, const std::vector<std::int64_t>& sizes,
                                      const std::vector<std::int64_t>& wanted, std::uint64_t seed) {
  std::vector<std::vector<std::int64_t>> members(sizes.size());
  for (std::size_t row = 0; row < labels.size(); ++row)
    members[static_cast<std::size_t>(labels[row])].push_back(static_cast<std::int64_t>(row));
  std::mt19937_64 random(seed);
  std::vector<std::int64_t> sample;
  for (std::size_t cluster = 0; cluster < sizes.size(); ++cluster) {
    auto& rows = members[cluster];
    for (std::size_t i = 0; i < static_cast<std::size_t>(wanted[cluster]); ++i) {
      std::swap(rows[i], rows[i + draw_below(random, rows.size() - i)]);
      sample.push_back(rows[i]);
    }
  }
  return sample;
}

template <class T>
Result<SilhouetteEstimate> estimate(const Matrix<T>& rows, std::span<const std::int32_t> labels,
                                    const SilhouetteSampling& sampling) {
  if (rows.rows <= sampling.exact_rows_max || rows.rows <= sampling.sample_rows) {
    HONE_TRY(Silhouette s, exact(rows, labels, sampling.threads));
    return SilhouetteEstimate{s.mean, {s.mean, s.mean}, std::move(s.clusters), std::move(s.sizes), rows.rows};
  }
  if (sampling.sample_rows < 1 || !(sampling.confidence > 0 && sampling.confidence < 1))
    return fail(Code::invalid, "a Silhouette estimate needs at least 1 row and a confidence between 0 and 1");
  HONE_CHECK(check_shape(rows, labels));
  HONE_TRY(std::vector<std::int64_t> sizes, sizes_of(labels));
  HONE_TRY(const Frame frame, frame_of(rows));
  const auto wanted = sample_sizes(sizes, rows.rows, sampling.sample_rows);
  const auto sample = draw_sample(labels, sizes, wanted, sampling.seed);
  const PackedRows<T> packed(rows, labels, sizes, all_rows(labels.size()), frame);
  const PackedRows<T> queries(rows, labels, sizes, sample, frame);
  const auto values = silhouettes_row_by_row(queries, packed, sizes, thread_count(sampling.threads));

  // The stratified estimate (Cochran, Sampling Techniques, chapter 5). queries.order() is sorted by cluster.
  SilhouetteEstimate result;
  double variance = 0;
  std::size_t place = 0;
  for (std::size_t cluster = 0; cluster < sizes.size(); ++cluster) {
    const auto m = static_cast<double>(wanted[cluster]);
    const std::span<const double> drawn(values.data() + place, static_cast<std::size_t>(wanted[cluster]));
    place += drawn.size();
    const double mean = drawn.empty() ? 0 : std::accumulate(drawn.begin(), drawn.end(), 0.0) / m;
    result.clusters.push_back(mean);
    if (drawn.empty()) continue;
    const auto size = static_cast<double>(sizes[cluster]);
    const double weight = size / static_cast<double>(rows.rows);
    result.mean += weight * mean;
    double squares = 0;
    for (const double value : drawn) squares += (value - mean) * (value - mean);
    if (m > 1) variance += weight * weight * (1 - m / size) * squares / (m - 1) / m;
  }
  const double reach = normal_upper_quantile((1 - sampling.confidence) / 2) * std::sqrt(variance);
  result.bounds = {result.mean - reach, result.mean + reach};
  result.sizes = std::move(sizes);
  result.rows_measured = static_cast<std::int64_t>(sample.size());
  return result;
}

struct MeasuredRows {
  std::vector<RowDistances> rows;  // one a row of `which`
  double scale = 1;                // of their distances
  std::vector<std::int64_t> sizes;
};

Result<MeasuredRows> measured_rows(Matrix<float> rows, std::span<const std::int32_t> labels,
                                   std::span<const std::int64_t> which, int threads) {
  HONE_CHECK(check_shape(rows, labels));
  for (std::size_t i = 0; i < which.size(); ++i)
    if (which[i] < 0 || which[i] >= rows.rows || (i > 0 && which[i] <= which[i - 1]))
      return fail(Code::invalid, "the rows to measure must be named in ascending order, each once");
  HONE_TRY(const std::vector<std::int64_t> sizes, sizes_of(labels));
  HONE_TRY(const Frame frame, frame_of(rows));
  const PackedRows<float> packed(rows, labels, sizes, all_rows(labels.size()), frame);
  const PackedRows<float> queries(rows, labels, sizes, which, frame);
  const auto by_place = distances_row_by_row(queries, packed, sizes, thread_count(threads));
  MeasuredRows measured{std::vector<RowDistances>(which.size()), frame.scale, {}};
  for (std::size_t place = 0; place < by_place.size(); ++place) {
    const auto found = std::lower_bound(which.begin(), which.end(), queries.order()[place]);
    measured.rows[static_cast<std::size_t>(found - which.begin())] = by_place[place];
  }
  measured.sizes = sizes;
  return measured;
}

// By how much a row's Silhouette moves when its distances do.
struct Slopes {
  double own, nearest;
};

Slopes slopes_of(const RowDistances& row) {
  const double a = row.own, b = row.nearest;
  if (a < b) return {-1 / b, a / (b * b)};
  return a > 0 ? Slopes{-b / (a * a), 1 / a} : Slopes{0, 0};
}

double distance(std::span<const float> x, std::span<const float> y) {
  double squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double off = static_cast<double>(x[i]) - static_cast<double>(y[i]);
    squares += off * off;
  }
  return std::sqrt(squares);
}

// By how much one more of each row of `which` would move the others' Silhouettes, through the means that they are made
// of: the sum over the rows i of d(s_i)/d(w_j), times n, `which` standing for all n.
std::vector<double> bends_of(Matrix<float> rows, std::span<const std::int32_t> labels, std::span<const std::int64_t> which,
                             const MeasuredRows& measured, int threads) {
  const auto width = static_cast<std::size_t>(rows.width);
  const auto row_at = [&](std::int64_t row) { return rows.values.subspan(static_cast<std::size_t>(row) * width, width); };
  const auto cluster_of = [&](std::size_t i) { return static_cast<std::size_t>(labels[static_cast<std::size_t>(which[i])]); };
  const double stands_for = static_cast<double>(rows.rows) / static_cast<double>(which.size());
  std::vector<double> bends(which.size());
  for_each_in_parallel(which.size(), threads, [&](std::size_t j) {
    const std::size_t mine = cluster_of(j);
    double sum = 0;
    for (std::size_t i = 0; i < which.size(); ++i) {
      const RowDistances& other = measured.rows[i];
      const std::size_t its = cluster_of(i);
      const auto size = static_cast<double>(measured.sizes[mine]);
      if (i == j || measured.sizes[its] <= 1 || (its != mine && other.nearest_cluster != mine)) continue;
      const double away = distance(row_at(which[i]), row_at(which[j])) * measured.scale;
      const Slopes slopes = slopes_of(other);
      sum += its == mine ? slopes.own * (away - other.own) / (size - 1) : slopes.nearest * (away - other.nearest) / size;
    }
    bends[j] = stands_for * sum;
  });
  return bends;
}

}  // namespace

Result<Silhouette> silhouette(Matrix<double> rows, std::span<const std::int32_t> labels, int threads) {
  return exact(rows, labels, threads);
}

Result<Silhouette> silhouette(Matrix<float> rows, std::span<const std::int32_t> labels, int threads) {
  return exact(rows, labels, threads);
}

Result<Silhouette> silhouette_from_sums(std::span<const double> sums, std::span<const std::int32_t> labels) {
  HONE_TRY(std::vector<std::int64_t> sizes, sizes_of(labels));
  const std::size_t n = labels.size();
  if (sums.size() % n != 0 || sums.size() / n < sizes.size())
    return fail(Code::invalid, "there are " + std::to_string(sums.size()) + " sums of distances for " +
                                   std::to_string(n) + " rows and " + std::to_string(sizes.size()) + " clusters");
  std::vector<double> values(n);
  for (std::size_t row = 0; row < n; ++row)
    values[row] = silhouette_of(sums.data() + row, n, static_cast<std::size_t>(labels[row]), sizes);
  return summary_of(std::move(values), labels, std::move(sizes));
}

Result<std::vector<double>> silhouette_pseudo_values(Matrix<float> rows, std::span<const std::int32_t> labels,
                                                     std::span<const std::int64_t> which, int threads) {
  HONE_TRY(const auto measured, measured_rows(rows, labels, which, threads));
  std::vector<double> bends = bends_of(rows, labels, which, measured, thread_count(threads));
  const double mean = std::accumulate(bends.begin(), bends.end(), 0.0) / static_cast<double>(which.size());
  for (std::size_t i = 0; i < which.size(); ++i) bends[i] += measured.rows[i].silhouette() - mean;
  return bends;
}

Result<SilhouetteEstimate> estimate_silhouette(Matrix<double> rows, std::span<const std::int32_t> labels,
                                               const SilhouetteSampling& sampling) {
  return estimate(rows, labels, sampling);
}

Result<SilhouetteEstimate> estimate_silhouette(Matrix<float> rows, std::span<const std::int32_t> labels,
                                               const SilhouetteSampling& sampling) {
  return estimate(rows, labels, sampling);
}

}  // namespace hone::metrics
