// Squared distances of packed rows to a few centroids: the inner loop of k-means on a CPU. As |c|^2 - 2 f.c, to
// which the caller adds |f|^2, so that a row costs one fused multiply-add a feature and centroid.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hone::trainer {

// Rows interleaved in a panel, as wide as a cache line: feature p of row i stands at
// values[(i / 16) * 16 * features + p * 16 + i % 16]. The last panel is filled with zeros.
inline constexpr std::int64_t kPanelRows = 16;

// Centroids as the kernel reads them: in blocks that fit into registers, feature after feature.
class PackedCentroids {
 public:
  PackedCentroids(std::span<const float> centroids, std::int64_t features);  // [k, features]

  struct Block {
    const float* values = nullptr;  // [features, count]
    const float* squares = nullptr;  // [count]
    int count = 0;
  };
  [[nodiscard]] std::int64_t features() const { return features_; }
  [[nodiscard]] std::int64_t blocks() const { return static_cast<std::int64_t>(starts_.size()) - 1; }
  [[nodiscard]] Block block(std::int64_t index) const {
    const auto i = static_cast<std::size_t>(index);
    return {values_.data() + starts_[i] * features_, squares_.data() + starts_[i],
            static_cast<int>(starts_[i + 1] - starts_[i])};
  }

 private:
  std::int64_t features_;
  std::vector<std::int64_t> starts_;  // first centroid of each block, and k
  std::vector<float> values_, squares_;
};

// Of every row of `panels` panels at `rows`: the nearest centroid and |c|^2 - 2 f.c of it. The first of equals wins.
void nearest_in_panels(const float* rows, std::int64_t panels, const PackedCentroids& centroids, float* distance,
                       std::int32_t* cluster);

// |c|^2 - 2 f.c of every row to every centroid: [centroids, panels * kPanelRows].
void distances_in_panels(const float* rows, std::int64_t panels, const PackedCentroids& centroids, float* distances);

}  // namespace hone::trainer
