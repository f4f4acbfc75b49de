// Trimmed k-means: k-means++ seeds (Arthur & Vassilvitskii 2007), then Lloyd's iterations in which
// the farthest rows of all pull no centroid (Cuesta-Albertos, Gordaliza & Matran 1997), in
// matrix products over blocks of rows. All restarts run in one product. This header knows libtorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "base/result.hpp"
#include "shared/pipeline/pipeline.hpp"

namespace hone::trainer {

// Of each row the nearest centroid and the squared distance to it.
struct Nearest {
  at::Tensor cluster;   // [rows] int64
  at::Tensor distance;  // [rows] float32, squared
};

// Exact (differences, not the expanded square), in blocks.
[[nodiscard]] Nearest nearest(const at::Tensor& features, const at::Tensor& centroids);

struct Clustering {
  at::Tensor centroids;    // [k, features], the largest cluster first
  double inertia = 0;         // squared distances of the rows that were kept
  double smallest_share = 0;  // of the rows, in the smallest cluster
};

// `features` [rows, features] float32, finite. Seeds come from libtorch's default generator (call
// at::manual_seed first). `stop` is called once an iteration; true: cancelled.
// `not_found` when no restart gave clusters of at least rules.min_cluster of the rows each.
[[nodiscard]] Result<Clustering> trimmed_kmeans(const at::Tensor& features, std::int64_t k, const KMeansRules& rules,
                                                const std::function<bool()>& stop);

}  // namespace hone::trainer
