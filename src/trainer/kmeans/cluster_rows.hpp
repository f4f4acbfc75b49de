// The rows that k-means clusters, wherever they are, and the passes over them that it is made of. The algorithm
// (lloyd.hpp) only sees what is small: centroids, sums and counts. `r` clusterings of k clusters stand side by side
// in every call, so that restarts share each pass.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hone::trainer {

// What one pass found, for each of r clusterings.
struct Pass {
  std::vector<double> sums;     // [r, k, features]: of the rows that pull their centroid
  std::vector<double> pulling;  // [r, k]: how many these are
  std::vector<double> members;  // [r, k]: all rows of the cluster
  std::vector<double> inertia;  // [r]: squared distances of the rows that pull
};

// Not for use by two threads at once.
class ClusterRows {
 public:
  virtual ~ClusterRows() = default;

  [[nodiscard]] virtual std::int64_t rows() const = 0;
  [[nodiscard]] virtual std::int64_t features() const = 0;

  // The rows with these numbers: [numbers, features].
  [[nodiscard]] virtual std::vector<float> gather(std::span<const std::int64_t> numbers) const = 0;

  // Every row has a weight in every clustering: 1 after begin_seeds, later its squared distance to the nearest seed
  // or centroid, or 0 when it does not pull. draw() gives one row for each of `fractions` [r, n] (0 to 1), the share
  // of all weight that stands before it.
  virtual void begin_seeds(std::int64_t r) = 0;
  [[nodiscard]] virtual std::vector<std::int64_t> draw(std::span<const double> fractions) const = 0;

  // The weight that would remain [r, m] if one of `candidates` [r, m, features] were the next seed.
  [[nodiscard]] virtual std::vector<double> try_seeds(std::span<const float> candidates) const = 0;
  virtual void take_seeds(std::span<const float> seeds) = 0;  // [r, features]

  // Assigns every row to the nearest of `centroids` [r, k, features]. The farthest share `trim` pulls nothing.
  [[nodiscard]] virtual Pass pass(std::span<const float> centroids, std::int64_t r, double trim) = 0;
};

}  // namespace hone::trainer
