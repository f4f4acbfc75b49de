// Silhouette of a clustering (Rousseeuw 1987, J. Comput. Appl. Math. 20:53-65), Euclidean.
//
// For a row, a is its mean distance to the other rows of its own cluster, b the smallest mean distance
// to the rows of another cluster, and s = (b - a) / max(a, b), between -1 and 1. Here s is 0 for the row
// of a cluster of one, and where a = b = 0. The mean of s over all rows is the Silhouette.
//
// Exact in O(n^2 d) time without an n x n matrix: distances come in tiles of 64 x 64 from matrix products
// and are added up at once, so memory is one packed copy of the rows and n x clusters sums (only O(n)
// where that would exceed 256 MiB). The rows are centred, scaled by a power of two, and where
// |x|^2 + |y|^2 - 2xy would lose its digits the distance is taken from the differences: equal rows are
// exactly 0 apart. Sums are doubles for float rows too. The result does not depend on `threads`.
//
//   HONE_TRY(const auto s, metrics::silhouette(metrics::Matrix<float>{rows, n, 32}, labels));
//   s.mean; s.rows[17]; s.clusters[2];
//
// Nothing is kept between calls; any thread may call.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "shared/metrics/interval.hpp"

namespace hone::metrics {

// `rows` x `width` values, row after row; borrowed.
template <class T>
struct Matrix {
  std::span<const T> values;
  std::int64_t rows = 0, width = 0;
};

struct Silhouette {
  double mean = 0;
  std::vector<double> rows;         // one a row
  std::vector<double> clusters;     // mean over the rows of each cluster; 0 for a label that no row has
  std::vector<std::int64_t> sizes;  // rows of each cluster
};

// `labels`: one a row, 0 up to 2^20 - 1; labels without rows are allowed and count as no cluster.
// `threads`: 0 takes one a core. `invalid` with one sentence when the lengths differ, a label is negative
// or too large, a value is no finite number, all rows are in one cluster or every row is alone in one.
[[nodiscard]] Result<Silhouette> silhouette(Matrix<double> rows, std::span<const std::int32_t> labels, int threads = 0);
[[nodiscard]] Result<Silhouette> silhouette(Matrix<float> rows, std::span<const std::int32_t> labels, int threads = 0);

// The same from sums that another device computed (a GPU): sums[c * n + i] is the sum of the distances from
// row i to all rows with label c, itself included; sums.size() is n times a number of labels.
[[nodiscard]] Result<Silhouette> silhouette_from_sums(std::span<const double> sums,
                                                      std::span<const std::int32_t> labels);

// One a row of `which` (indices, ascending, each once), for paired comparisons of two clusterings: the row's pseudo-value
// (the infinitesimal jackknife: Jaeckel 1972; Efron 1982, chapter 6). Their mean is that of the rows' Silhouettes, each
// measured against ALL rows, and they vary as this mean would over other rows of the same kind: a row counts not only by
// its own s, it also moves the mean distances of which the others' are made. (The s alone vary too little: of two
// clusterings that are equally good, a test with them prefers one several times as often as it may.) Where `which` is not
// all rows they vary a little too much. Memory for a packed copy of the rows; O(which * n * d).
[[nodiscard]] Result<std::vector<double>> silhouette_pseudo_values(Matrix<float> rows, std::span<const std::int32_t> labels,
                                                                   std::span<const std::int64_t> which, int threads = 0);

struct SilhouetteSampling {
  std::int64_t exact_rows_max = 20'000;  // up to so many rows all are measured
  std::int64_t sample_rows = 4'000;      // above, so many; at least 30 of each cluster that has them
  double confidence = 0.95;
  std::uint64_t seed = 1;
  int threads = 0;
};

struct SilhouetteEstimate {
  double mean = 0;
  Interval bounds;               // two-sided; both equal to mean when all rows were measured
  std::vector<double> clusters;  // as in Silhouette, estimated
  std::vector<std::int64_t> sizes;
  std::int64_t rows_measured = 0;
};

// Rows drawn from each cluster without replacement, each measured against ALL rows, so that the estimate of
// the mean is unbiased (the Silhouette of a subset is not); bounds by the stratified mean's standard error with
// the finite population correction. O(sample_rows * n * d).
[[nodiscard]] Result<SilhouetteEstimate> estimate_silhouette(Matrix<double> rows, std::span<const std::int32_t> labels,
                                                             const SilhouetteSampling& sampling);
[[nodiscard]] Result<SilhouetteEstimate> estimate_silhouette(Matrix<float> rows, std::span<const std::int32_t> labels,
                                                             const SilhouetteSampling& sampling);

}  // namespace hone::metrics
