// One body, compiled for each instruction set that pays, chosen when the program runs. This file alone is
// compiled with -O3 and contraction to fused multiply-add (see CMakeLists.txt).
#include "shared/metrics/distance_tile.hpp"

#include <cmath>

#define HONE_INLINE inline __attribute__((always_inline))

namespace hone::metrics {
namespace {

template <class T, int kBytes>
struct Vector {
  typedef T Type __attribute__((vector_size(kBytes), aligned(alignof(T)), may_alias));
};

template <class T>
struct Tile {
  alignas(64) T values[kTileRows * kTileRows];  // row after row
};

// Below this share of |x|^2 + |y|^2 a squared distance has lost too many digits to cancellation: 1e-5 leaves a
// double distance 1e-11 of relative error, 1e-2 a float one 1e-5.
template <class T>
constexpr T kCancelled = sizeof(T) == 8 ? T(1e-5) : T(1e-2);

// kRows x kPanelRows products (or squared distances) of rows of one panel with all rows of another.
template <class T, int kBytes, int kRows, bool kDirect>
HONE_INLINE void multiply(const T* a, const T* b, std::int64_t width, T* out) {
  using V = typename Vector<T, kBytes>::Type;
  constexpr int kLanes = kBytes / static_cast<int>(sizeof(T));
  constexpr int kVectors = 64 / kBytes;
  constexpr std::int64_t kPanel = kPanelRows<T>;
  V sums[kRows][kVectors] = {};
  for (std::int64_t p = 0; p < width; ++p) {
    for (int v = 0; v < kVectors; ++v) {
      const V column = *reinterpret_cast<const V*>(b + p * kPanel + v * kLanes);
      for (int r = 0; r < kRows; ++r) {
        if constexpr (kDirect) {
          const V difference = column - a[p * kPanel + r];
          sums[r][v] += difference * difference;
        } else {
          sums[r][v] += column * a[p * kPanel + r];
        }
      }
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) *reinterpret_cast<V*>(out + r * kTileRows + v * kLanes) = sums[r][v];
}

template <class T, int kBytes, int kRows, bool kDirect>
HONE_INLINE void multiply_blocks(const Block<T>& a, const Block<T>& b, std::int64_t width, Tile<T>& tile) {
  constexpr std::int64_t kPanel = kPanelRows<T>;
  for (std::int64_t j = 0; j < b.rows; j += kPanel)
    for (std::int64_t i = 0; i < a.rows; i += kRows)
      multiply<T, kBytes, kRows, kDirect>(a.values + i / kPanel * kPanel * width + i % kPanel, b.values + j * width,
                                          width, tile.values + i * kTileRows + j);
}

// Products become squared distances; false when one of them is not to be trusted.
template <class T>
HONE_INLINE bool square_distances(const Block<T>& a, const Block<T>& b, Tile<T>& tile) {
  T worst = 1;
  for (std::int64_t i = 0; i < a.rows; ++i) {
    T* row = tile.values + i * kTileRows;
    const T norm = a.norms[i];
    T low = 1;
    for (std::int64_t j = 0; j < b.rows; ++j) {
      const T scale = norm + b.norms[j];
      const T squared = scale - 2 * row[j];
      row[j] = squared;
      const T excess = squared - kCancelled<T> * scale;
      low = excess < low ? excess : low;
    }
    worst = low < worst ? low : worst;
  }
  return worst > 0;
}

template <class T>
HONE_INLINE void add_up(const Block<T>& a, const Block<T>& b, Tile<T>& tile, TileSums& sums) {
  constexpr std::int64_t kLanes = kPanelRows<T>;
  T columns[kTileRows] = {};
  for (std::int64_t i = 0; i < a.rows; ++i) {
    T* row = tile.values + i * kTileRows;
    // Rows that only fill up the last panel add nothing.
    const std::int64_t filled = (b.rows + kLanes - 1) / kLanes * kLanes;
    for (std::int64_t j = b.rows; j < filled; ++j) row[j] = 0;
    for (std::int64_t j = 0; j < filled; ++j) {
      row[j] = std::sqrt(row[j]);
      columns[j] += row[j];
    }
    T lanes[kLanes] = {};
    for (std::int64_t j = 0; j < filled; j += kLanes)
      for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += row[j + lane];
    for (std::int64_t lane = 0; lane < kLanes; ++lane) sums.rows[i] += static_cast<double>(lanes[lane]);
  }
  for (std::int64_t j = 0; j < b.rows; ++j) sums.columns[j] = static_cast<double>(columns[j]);
}

template <class T, int kBytes, int kRows>
HONE_INLINE void tile_sums(const Block<T>& a, const Block<T>& b, std::int64_t width, TileSums& sums) {
  Tile<T> tile;
  // A block with itself holds the zeros of its diagonal, so the product would not be trusted anyway.
  bool done = false;
  if (a.values != b.values) {
    multiply_blocks<T, kBytes, kRows, false>(a, b, width, tile);
    done = square_distances(a, b, tile);
  }
  if (!done) multiply_blocks<T, kBytes, kRows, true>(a, b, width, tile);
  add_up(a, b, tile, sums);
}

template <class T>
using Kernel = void (*)(const Block<T>&, const Block<T>&, std::int64_t, TileSums&);

// 16 bytes: any 64-bit x86 (SSE2), 64-bit Arm (NEON).
template <class T>
void plain(const Block<T>& a, const Block<T>& b, std::int64_t width, TileSums& sums) {
  tile_sums<T, 16, 2>(a, b, width, sums);
}

#if defined(__x86_64__)
template <class T>
__attribute__((target("avx2,fma"))) void with_avx2(const Block<T>& a, const Block<T>& b, std::int64_t width,
                                                   TileSums& sums) {
  tile_sums<T, 32, 4>(a, b, width, sums);
}

template <class T>
__attribute__((target("avx512f,avx512vl,avx512dq,fma,prefer-vector-width=512"))) void with_avx512(const Block<T>& a,
                                                                                                  const Block<T>& b,
                                                                                                  std::int64_t width,
                                                                                                  TileSums& sums) {
  tile_sums<T, 64, 8>(a, b, width, sums);
}
#endif

template <class T>
Kernel<T> choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    return with_avx512<T>;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return with_avx2<T>;
#endif
  return plain<T>;
}

template <class T>
TileSums run(const Block<T>& a, const Block<T>& b, std::int64_t width) {
  static const Kernel<T> kernel = choose<T>();
  TileSums sums;
  kernel(a, b, width, sums);
  return sums;
}

}  // namespace

TileSums distance_sums(const Block<double>& a, const Block<double>& b, std::int64_t width) {
  return run(a, b, width);
}
TileSums distance_sums(const Block<float>& a, const Block<float>& b, std::int64_t width) {
  return run(a, b, width);
}

}  // namespace hone::metrics
