// One body, compiled for each instruction set that pays, chosen when the program runs. This file alone is compiled
// with -O3 and contraction to fused multiply-add (see CMakeLists.txt).
#include "trainer/kmeans/nearest_kernel.hpp"

#include <cstring>
#include <limits>

#define HONE_INLINE inline __attribute__((always_inline))

namespace hone::trainer {
namespace {

constexpr int kBlockMax = 6;  // centroids of a block: 6 x 2 sums of 32 bytes fill the registers of AVX2

template <int kBytes>
struct Vectors {
  typedef float Float __attribute__((vector_size(kBytes)));
  typedef std::int32_t Int __attribute__((vector_size(kBytes)));
  static constexpr int kLanes = kBytes / 4;
  static constexpr int kCount = 64 / kBytes;  // of one panel's column
};

// From and to memory that is aligned for its elements only.
template <class V, class T>
HONE_INLINE void load(V& value, const T* from) {
  std::memcpy(&value, from, sizeof value);
}
template <class V, class T>
HONE_INLINE void store(const V& value, T* to) {
  std::memcpy(to, &value, sizeof value);
}

template <int kBytes, int kCentroids>
struct Products {
  typename Vectors<kBytes>::Float values[kCentroids][Vectors<kBytes>::kCount];
};

// |c|^2 - 2 f.c of one panel and one block.
template <int kBytes, int kCentroids>
HONE_INLINE void multiply(const float* panel, const PackedCentroids::Block& block, std::int64_t features,
                          Products<kBytes, kCentroids>& out) {
  using V = Vectors<kBytes>;
  typename V::Float sums[kCentroids][V::kCount] = {};
  for (std::int64_t p = 0; p < features; ++p) {
    typename V::Float column[V::kCount];
    for (int v = 0; v < V::kCount; ++v)
      load(column[v], panel + p * kPanelRows + v * V::kLanes);
    for (int c = 0; c < kCentroids; ++c)
      for (int v = 0; v < V::kCount; ++v) sums[c][v] += column[v] * block.values[p * kCentroids + c];
  }
  for (int c = 0; c < kCentroids; ++c)
    for (int v = 0; v < V::kCount; ++v) out.values[c][v] = block.squares[c] - 2 * sums[c][v];
}

template <int kBytes, int kCentroids>
HONE_INLINE void improve(const float* panel, const PackedCentroids::Block& block, std::int64_t features,
                         std::int32_t first, float* distance, std::int32_t* cluster) {
  using V = Vectors<kBytes>;
  Products<kBytes, kCentroids> now;
  multiply<kBytes, kCentroids>(panel, block, features, now);
  for (int v = 0; v < V::kCount; ++v) {
    typename V::Float least;
    typename V::Int nearest;
    load(least, distance + v * V::kLanes);
    load(nearest, cluster + v * V::kLanes);
    for (int c = 0; c < kCentroids; ++c) {
      const auto closer = now.values[c][v] < least;
      least = closer ? now.values[c][v] : least;
      nearest = closer ? typename V::Int{} + (first + c) : nearest;
    }
    store(least, distance + v * V::kLanes);
    store(nearest, cluster + v * V::kLanes);
  }
}

template <int kBytes, int kCentroids>
HONE_INLINE void write_all(const float* panel, const PackedCentroids::Block& block, std::int64_t features, float* to,
                       std::int64_t stride) {
  using V = Vectors<kBytes>;
  Products<kBytes, kCentroids> now;
  multiply<kBytes, kCentroids>(panel, block, features, now);
  for (int c = 0; c < kCentroids; ++c)
    for (int v = 0; v < V::kCount; ++v)
      store(now.values[c][v], to + c * stride + v * V::kLanes);
}

// Calls body<count>() for a block of that many centroids.
#define HONE_FOR_COUNT(count, call) \
  switch (count) {                  \
    case 1: call(1); break;         \
    case 2: call(2); break;         \
    case 3: call(3); break;         \
    case 4: call(4); break;         \
    case 5: call(5); break;         \
    default: call(6); break;        \
  }

template <int kBytes>
HONE_INLINE void nearest_body(const float* rows, std::int64_t panels, const PackedCentroids& centroids,
                              float* distance, std::int32_t* cluster) {
  const std::int64_t features = centroids.features();
  for (std::int64_t i = 0; i < panels * kPanelRows; ++i) {
    distance[i] = std::numeric_limits<float>::infinity();
    cluster[i] = 0;
  }
  std::int32_t first = 0;
  for (std::int64_t b = 0; b < centroids.blocks(); ++b) {
    const PackedCentroids::Block block = centroids.block(b);
#define HONE_CALL(count)                                                                                     \
  for (std::int64_t i = 0; i < panels; ++i)                                                                  \
  improve<kBytes, count>(rows + i * kPanelRows * features, block, features, first, distance + i * kPanelRows, \
                         cluster + i * kPanelRows)
    HONE_FOR_COUNT(block.count, HONE_CALL)
#undef HONE_CALL
    first += block.count;
  }
}

template <int kBytes>
HONE_INLINE void distances_body(const float* rows, std::int64_t panels, const PackedCentroids& centroids,
                                float* distances) {
  const std::int64_t features = centroids.features(), stride = panels * kPanelRows;
  for (std::int64_t b = 0; b < centroids.blocks(); ++b) {
    const PackedCentroids::Block block = centroids.block(b);
#define HONE_CALL(count)                    \
  for (std::int64_t i = 0; i < panels; ++i) \
  write_all<kBytes, count>(rows + i * kPanelRows * features, block, features, distances + i * kPanelRows, stride)
    HONE_FOR_COUNT(block.count, HONE_CALL)
#undef HONE_CALL
    distances += block.count * stride;
  }
}

struct Kernels {
  void (*nearest)(const float*, std::int64_t, const PackedCentroids&, float*, std::int32_t*);
  void (*distances)(const float*, std::int64_t, const PackedCentroids&, float*);
};

// 16 bytes: any 64-bit x86 (SSE2), 64-bit Arm (NEON).
void nearest_plain(const float* rows, std::int64_t panels, const PackedCentroids& c, float* d, std::int32_t* n) {
  nearest_body<16>(rows, panels, c, d, n);
}
void distances_plain(const float* rows, std::int64_t panels, const PackedCentroids& c, float* d) {
  distances_body<16>(rows, panels, c, d);
}

#if defined(__x86_64__)
#define HONE_AVX2 __attribute__((target("avx2,fma")))
#define HONE_AVX512 __attribute__((target("avx512f,avx512vl,avx512dq,fma,prefer-vector-width=512")))
HONE_AVX2 void nearest_avx2(const float* rows, std::int64_t panels, const PackedCentroids& c, float* d,
                            std::int32_t* n) {
  nearest_body<32>(rows, panels, c, d, n);
}
HONE_AVX2 void distances_avx2(const float* rows, std::int64_t panels, const PackedCentroids& c, float* d) {
  distances_body<32>(rows, panels, c, d);
}
HONE_AVX512 void nearest_avx512(const float* rows, std::int64_t panels, const PackedCentroids& c, float* d,
                                std::int32_t* n) {
  nearest_body<64>(rows, panels, c, d, n);
}
HONE_AVX512 void distances_avx512(const float* rows, std::int64_t panels, const PackedCentroids& c, float* d) {
  distances_body<64>(rows, panels, c, d);
}
#endif

Kernels choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    return {nearest_avx512, distances_avx512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {nearest_avx2, distances_avx2};
#endif
  return {nearest_plain, distances_plain};
}

const Kernels& kernels() {
  static const Kernels chosen = choose();
  return chosen;
}

}  // namespace

PackedCentroids::PackedCentroids(std::span<const float> centroids, std::int64_t features) : features_(features) {
  const std::int64_t k = static_cast<std::int64_t>(centroids.size()) / features;
  const std::int64_t blocks = (k + kBlockMax - 1) / kBlockMax;
  values_.resize(centroids.size());
  squares_.assign(static_cast<std::size_t>(k), 0);
  for (std::int64_t b = 0; b <= blocks; ++b) starts_.push_back(b * k / blocks);  // blocks of nearly equal size
  for (std::int64_t b = 0; b < blocks; ++b) {
    const std::int64_t first = starts_[static_cast<std::size_t>(b)], after = starts_[static_cast<std::size_t>(b) + 1];
    for (std::int64_t c = first; c < after; ++c)
      for (std::int64_t p = 0; p < features; ++p) {
        const float value = centroids[static_cast<std::size_t>(c * features + p)];
        values_[static_cast<std::size_t>(first * features + p * (after - first) + c - first)] = value;
        squares_[static_cast<std::size_t>(c)] += value * value;
      }
  }
}

void nearest_in_panels(const float* rows, std::int64_t panels, const PackedCentroids& centroids, float* distance,
                       std::int32_t* cluster) {
  kernels().nearest(rows, panels, centroids, distance, cluster);
}

void distances_in_panels(const float* rows, std::int64_t panels, const PackedCentroids& centroids, float* distances) {
  kernels().distances(rows, panels, centroids, distances);
}

}  // namespace hone::trainer
