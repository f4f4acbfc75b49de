// Trimmed k-means: greedy k-means++ seeds (Arthur & Vassilvitskii 2007, section 7), then Lloyd's iterations in which
// the farthest rows of all pull no centroid (Cuesta-Albertos, Gordaliza & Matran 1997). Restarts run side by side;
// after a few iterations the worse half of them is dropped, again and again, and only the winner runs until it
// settles.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "trainer/kmeans/cluster_rows.hpp"

namespace hone::trainer {

struct Clustering {
  std::int64_t clusters = 0;
  std::vector<float> centroids;  // [clusters, features], the largest cluster first
  double inertia = 0;            // squared distances of the rows that were kept, from the float32 squares of the last pass
  double smallest_share = 0;     // of the rows, in the smallest cluster
};

// The same seed on the same machine gives the same bits. `stop` is called once an iteration; true: cancelled.
// `not_found` when no restart gave clusters of at least rules.min_cluster of the rows each.
[[nodiscard]] Result<Clustering> trimmed_kmeans(ClusterRows& rows, std::int64_t k, const KMeansRules& rules,
                                                std::uint64_t seed, const std::function<bool()>& stop);

}  // namespace hone::trainer
