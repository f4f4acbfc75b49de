#include "trainer/kmeans/lloyd.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace hone::trainer {
namespace {

constexpr std::int64_t kBlockElements = std::int64_t{4} << 20;  // of one product: 16 MiB
constexpr int kRaceIterations = 12;     // of all restarts, to see which is best
constexpr int kReseedIterations = 6;    // of these, the first ones may move a small cluster elsewhere
constexpr int kPolishIterations = 200;  // of the best one
constexpr double kSettled = 1e-6;       // relative gain in inertia below which it has converged

std::int64_t block_rows(std::int64_t columns) {
  return std::max<std::int64_t>(256, kBlockElements / std::max<std::int64_t>(1, columns));
}

// Several clusterings of the same rows side by side. With r restarts of k clusters:
struct Assignment {
  at::Tensor cluster;   // [r, rows] int64
  at::Tensor distance;  // [r, rows] float32, squared
};

// |f - c|^2 = |f|^2 - 2 f.c + |c|^2: one product for all restarts.
Assignment assign(const at::Tensor& features, const at::Tensor& squares, const at::Tensor& centroids) {
  const std::int64_t rows = features.size(0), restarts = centroids.size(0), k = centroids.size(1);
  const at::Tensor flat = centroids.reshape({restarts * k, -1});
  const at::Tensor flat_squares = flat.square().sum(1);
  Assignment result{at::empty({restarts, rows}, features.options().dtype(at::kLong)),
                    at::empty({restarts, rows}, features.options())};
  const std::int64_t step = block_rows(restarts * k);
  for (std::int64_t from = 0; from < rows; from += step) {
    const std::int64_t to = std::min(from + step, rows);
    at::Tensor distance = at::addmm(flat_squares, features.slice(0, from, to), flat.t(), 1, -2);
    const auto [least, cluster] = distance.view({to - from, restarts, k}).min(2);
    result.cluster.slice(1, from, to).copy_(cluster.t());
    result.distance.slice(1, from, to).copy_((least + squares.slice(0, from, to).unsqueeze(1)).clamp_min(0).t());
  }
  return result;
}

// Which rows pull: [r, rows] bool.
at::Tensor kept_rows(const at::Tensor& distance, double trim) {
  const std::int64_t rows = distance.size(1);
  const auto keep = std::max<std::int64_t>(1, std::llround((1 - trim) * static_cast<double>(rows)));
  if (keep >= rows) return at::ones_like(distance, distance.options().dtype(at::kBool));
  return distance.le(std::get<0>(distance.kthvalue(keep, 1, true)));
}

struct Sums {
  at::Tensor features;  // [r, k, features] float64
  at::Tensor kept;      // [r, k] float64: rows that pull
  at::Tensor all;       // [r, k] float64: rows of the cluster
};

// Membership as a matrix of zeros and ones, times the rows: deterministic on every device, which a
// scattered addition is not.
Sums sum_up(const at::Tensor& features, const Assignment& now, const at::Tensor& kept, std::int64_t k) {
  const std::int64_t rows = features.size(0), restarts = now.cluster.size(0);
  const auto doubles = features.options().dtype(at::kDouble);
  Sums sums{at::zeros({restarts, k, features.size(1)}, doubles), at::zeros({restarts, k}, doubles),
            at::zeros({restarts, k}, doubles)};
  const at::Tensor names = at::arange(k, now.cluster.options()).view({1, k, 1});
  const std::int64_t step = block_rows(restarts * k);
  for (std::int64_t from = 0; from < rows; from += step) {
    const std::int64_t to = std::min(from + step, rows);
    const at::Tensor member = now.cluster.slice(1, from, to).unsqueeze(1).eq(names);  // [r, k, block]
    sums.all += member.sum(2).to(at::kDouble);
    const at::Tensor pulls = member.logical_and(kept.slice(1, from, to).unsqueeze(1)).to(features.scalar_type());
    sums.kept += pulls.sum(2).to(at::kDouble);
    const at::Tensor block = at::mm(pulls.reshape({restarts * k, to - from}), features.slice(0, from, to));
    sums.features += block.view({restarts, k, -1}).to(at::kDouble);
  }
  return sums;
}

// One row a restart, drawn with probability in proportion to its weight [r, rows].
at::Tensor draw(const at::Tensor& weights) {
  const at::Tensor sums = weights.to(at::kDouble).cumsum(1);
  const at::Tensor point = at::rand({weights.size(0), 1}, at::TensorOptions().dtype(at::kDouble)).to(sums.device());
  const at::Tensor found = at::searchsorted(sums, point * sums.slice(1, weights.size(1) - 1));
  return found.squeeze(1).clamp_max(weights.size(1) - 1);
}

at::Tensor seeds(const at::Tensor& features, const at::Tensor& squares, std::int64_t restarts, std::int64_t k) {
  const std::int64_t rows = features.size(0);
  at::Tensor chosen = at::empty({restarts, k, features.size(1)}, features.options());
  at::Tensor weights = at::ones({restarts, rows}, features.options());
  for (std::int64_t i = 0; i < k; ++i) {
    const at::Tensor next = features.index_select(0, draw(weights));  // [r, features]
    chosen.select(1, i).copy_(next);
    const at::Tensor distance = assign(features, squares, next.unsqueeze(1)).distance;
    weights = i == 0 ? distance : at::minimum(weights, distance);
  }
  return chosen;
}

// The means of the rows that pull. A cluster below the least share begins anew at a row that is far
// from all centroids, but not so far that it is trimmed.
at::Tensor updated(const at::Tensor& features, const at::Tensor& centroids, const Assignment& now,
                      const at::Tensor& kept, const Sums& sums, double rows_min, bool reseed) {
  at::Tensor next = (sums.features / sums.kept.clamp_min(1).unsqueeze(2)).to(features.scalar_type());
  next = at::where(sums.kept.gt(0).unsqueeze(2), next, centroids);
  if (!reseed) return next;
  const at::Tensor small = sums.all.lt(rows_min);
  if (!small.any().item<bool>()) return next;
  const at::Tensor weights = now.distance * kept;
  for (std::int64_t i = 0; i < centroids.size(1); ++i) {
    const at::Tensor fresh = features.index_select(0, draw(weights));
    next.select(1, i).copy_(at::where(small.select(1, i).unsqueeze(1), fresh, next.select(1, i)));
  }
  return next;
}

struct State {
  at::Tensor centroids;  // [r, k, features]
  at::Tensor inertia;    // [r] float64
  at::Tensor smallest;   // [r] float64: rows in the smallest cluster
};

State iterate(const at::Tensor& features, const at::Tensor& squares, const at::Tensor& centroids,
              const KMeansRules& rules, bool reseed) {
  const Assignment now = assign(features, squares, centroids);
  const at::Tensor kept = kept_rows(now.distance, rules.trim);
  const Sums sums = sum_up(features, now, kept, centroids.size(1));
  const double rows_min = rules.min_cluster * static_cast<double>(features.size(0));
  return {updated(features, centroids, now, kept, sums, rows_min, reseed),
          (now.distance * kept).sum(1, false, at::kDouble), std::get<0>(sums.all.min(1))};
}

at::Tensor largest_first(const at::Tensor& features, const at::Tensor& centroids) {
  const at::Tensor sizes = at::bincount(nearest(features, centroids).cluster, {}, centroids.size(0));
  return centroids.index_select(0, sizes.argsort(/*dim=*/0, /*descending=*/true));
}

}  // namespace

Nearest nearest(const at::Tensor& features, const at::Tensor& centroids) {
  const std::int64_t rows = features.size(0);
  Nearest result{at::empty({rows}, features.options().dtype(at::kLong)), at::empty({rows}, features.options())};
  const std::int64_t step = block_rows(centroids.numel());
  for (std::int64_t from = 0; from < rows; from += step) {
    const std::int64_t to = std::min(from + step, rows);
    const at::Tensor away = features.slice(0, from, to).unsqueeze(1) - centroids.unsqueeze(0);
    const auto [least, cluster] = away.square().sum(2).min(1);
    result.cluster.slice(0, from, to).copy_(cluster);
    result.distance.slice(0, from, to).copy_(least);
  }
  return result;
}

Result<Clustering> trimmed_kmeans(const at::Tensor& features, std::int64_t k, const KMeansRules& rules,
                                  const std::function<bool()>& stop) {
  const auto cancelled = [] { return fail(Code::cancelled, "training was stopped"); };
  const at::Tensor squares = features.square().sum(1);
  const double rows = static_cast<double>(features.size(0));
  const double rows_min = rules.min_cluster * rows;

  State race{seeds(features, squares, rules.restarts, k), {}, {}};
  for (int i = 0; i < kRaceIterations; ++i) {
    if (stop()) return cancelled();
    race = iterate(features, squares, race.centroids, rules, i < kReseedIterations);
  }
  // The best of those whose clusters are large enough; the rest is polished only when it wins.
  at::Tensor inertia = at::where(race.smallest.ge(rows_min), race.inertia,
                                    at::full_like(race.inertia, std::numeric_limits<double>::infinity()));
  for (std::int64_t attempt = 0; attempt < rules.restarts; ++attempt) {
    const auto best = inertia.argmin().item<std::int64_t>();
    if (!std::isfinite(inertia[best].item<double>())) break;
    inertia[best] = std::numeric_limits<double>::infinity();
    State state{race.centroids.slice(0, best, best + 1).clone(), {}, {}};
    double before = std::numeric_limits<double>::infinity();
    double after = before;
    for (int i = 0; i < kPolishIterations; ++i) {
      if (stop()) return cancelled();
      const at::Tensor centroids = state.centroids;
      state = iterate(features, squares, centroids, rules, false);
      after = state.inertia.item<double>();
      if (before - after <= kSettled * after) {
        state.centroids = centroids;  // the ones that `inertia` and `smallest` are of
        break;
      }
      before = after;
    }
    if (state.smallest.item<double>() < rows_min) continue;
    return Clustering{largest_first(features, state.centroids[0]), after, state.smallest.item<double>() / rows};
  }
  return fail(Code::not_found, "no restart gave " + std::to_string(k) + " clusters that hold at least " +
                                   std::to_string(std::llround(100 * rules.min_cluster)) + "% of the rows each");
}

}  // namespace hone::trainer
