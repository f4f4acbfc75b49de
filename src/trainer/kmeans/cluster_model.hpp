// A k-means model as plain values, between libtorch and the ONNX file.
#pragma once

#include <cstdint>
#include <vector>

namespace hone::trainer {

// features = clip((raw * signal.scale - center) * inverse_spread, -clip, clip), one sample flattened.
// A sample's cluster is that of the nearest centroid, and its score the Euclidean distance to it.
struct ClusterModel {
  std::vector<float> center;          // [features]
  std::vector<float> inverse_spread;  // [features]
  float clip = 5;
  std::int64_t clusters = 0;
  std::vector<float> centroids;  // [clusters, features], the largest cluster first
  float threshold = 0;           // anomalous: distance > threshold

  [[nodiscard]] std::int64_t features() const { return static_cast<std::int64_t>(center.size()); }
};

}  // namespace hone::trainer
