#include "shared/metrics/paired_bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <random>
#include <unordered_map>
#include <vector>

namespace hone::metrics {
namespace {

// Replicates: enough that some 25 lie beyond the bound, within a bound on the work.
constexpr double kBeyondBound = 25;
constexpr double kReplicatesMin = 2'000;
constexpr double kReplicatesMax = 10'000;
constexpr double kDrawsMax = 5e8;
constexpr std::size_t kFoldsMax = 1'000;

std::size_t replicates_for(double tail, std::int64_t rows) {
  const double wanted = std::clamp(std::ceil(kBeyondBound / tail), kReplicatesMin, kReplicatesMax);
  return static_cast<std::size_t>(std::max(1'000.0, std::min(wanted, kDrawsMax / static_cast<double>(rows))));
}

// What is drawn as one, a block of rows or a single row: unit u is rows[begins[u]] up to rows[begins[u + 1]].
struct Units {
  std::vector<std::uint32_t> rows, begins;
  [[nodiscard]] std::size_t size() const { return begins.size() - 1; }
  [[nodiscard]] std::span<const std::uint32_t> unit(std::size_t u) const {
    return std::span(rows).subspan(begins[u], begins[u + 1] - begins[u]);
  }
};

Units units_of(const PairedSample& sample) {
  Units units;
  units.rows.resize(static_cast<std::size_t>(sample.rows));
  std::iota(units.rows.begin(), units.rows.end(), 0u);
  if (!sample.blocks.empty())
    std::stable_sort(units.rows.begin(), units.rows.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return sample.blocks[a] < sample.blocks[b]; });
  const auto begins_unit = [&](std::size_t at) {
    return at == 0 || sample.blocks.empty() || sample.blocks[units.rows[at]] != sample.blocks[units.rows[at - 1]];
  };
  for (std::size_t at = 0; at < units.rows.size(); ++at)
    if (begins_unit(at)) units.begins.push_back(static_cast<std::uint32_t>(at));
  units.begins.push_back(static_cast<std::uint32_t>(units.rows.size()));
  return units;
}

// The units that may replace each other, by their places.
std::vector<std::vector<std::uint32_t>> pools_of(const PairedSample& sample, const Units& units) {
  std::vector<std::vector<std::uint32_t>> pools(1);
  const bool one_pool = sample.strata.empty() || !sample.blocks.empty();
  for (std::size_t unit = 0; unit < units.size(); ++unit) {
    const std::size_t pool = one_pool ? 0 : static_cast<std::size_t>(sample.strata[units.unit(unit).front()]);
    if (pool >= pools.size()) pools.resize(pool + 1);
    pools[pool].push_back(static_cast<std::uint32_t>(unit));
  }
  return pools;
}

// As many units of each pool as it has, with replacement. Two draws from each random number, by multiplication: with
// fewer than 2^32 units none is favoured by more than a share of 2^-32 times their number.
void draw_weights(const Units& units, const std::vector<std::vector<std::uint32_t>>& pools,
                  std::mt19937_64& random, std::vector<std::uint32_t>& weights) {
  std::fill(weights.begin(), weights.end(), 0);
  for (const auto& pool : pools) {
    const std::uint64_t size = pool.size();
    const auto draw = [&](std::uint64_t bits) {
      for (const std::uint32_t row : units.unit(pool[bits * size >> 32])) ++weights[row];
    };
    for (std::uint64_t i = 0; i < size; i += 2) {
      const std::uint64_t bits = random();
      draw(bits & 0xffffffff);
      if (i + 1 < size) draw(bits >> 32);
    }
  }
}

struct Influence {
  double acceleration = 0;
  double effective_rows = 0;
};

// By leaving out one unit at a time, or one of kFoldsMax groups of units.
Influence influence_of(const PairedSample& sample, const Units& units) {
  const std::size_t folds = std::min(units.size(), kFoldsMax);
  std::vector<std::uint32_t> weights(static_cast<std::size_t>(sample.rows), 1);
  const auto weigh = [&](std::size_t fold, std::uint32_t weight) {
    for (std::size_t unit = fold; unit < units.size(); unit += folds)
      for (const std::uint32_t row : units.unit(unit)) weights[row] = weight;
  };
  std::vector<double> left_out;
  for (std::size_t fold = 0; fold < folds; ++fold) {
    weigh(fold, 0);
    left_out.push_back(sample.gain(weights));
    weigh(fold, 1);
  }
  const double mean = std::accumulate(left_out.begin(), left_out.end(), 0.0) / static_cast<double>(folds);
  double squares = 0, cubes = 0, fourths = 0;
  for (const double gain : left_out) {
    const double value = mean - gain;
    squares += value * value;
    cubes += value * value * value;
    fourths += value * value * value * value;
  }
  // Rounding alone is no variance: then every unit says the same.
  if (!(squares > 1e-24 * static_cast<double>(folds) * (1 + mean * mean))) return {0, static_cast<double>(units.size())};
  return {cubes / (6 * squares * std::sqrt(squares)), squares * squares / fourths};
}

// Student's upper quantile from the normal one (Abramowitz and Stegun 26.7.5), stretched by sqrt((n) / (n - 1)).
double widened(double z, double effective_rows) {
  const double freedom = std::max(4.0, effective_rows - 1);
  const double z3 = z * z * z, z5 = z3 * z * z;
  const double t =
      z + (z3 + z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom);
  return t * std::sqrt((freedom + 1) / freedom);
}

struct Spread {
  std::vector<double> sorted;
  double mean = 0, deviation = 0, skewness = 0;
};

Spread spread_of(std::vector<double> values) {
  Spread spread;
  const auto count = static_cast<double>(values.size());
  spread.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0, cubes = 0;
  for (const double value : values) {
    squares += (value - spread.mean) * (value - spread.mean);
    cubes += (value - spread.mean) * (value - spread.mean) * (value - spread.mean);
  }
  spread.deviation = std::sqrt(squares / count);
  if (spread.deviation > 0) spread.skewness = cubes / count / std::pow(spread.deviation, 3);
  std::sort(values.begin(), values.end());
  spread.sorted = std::move(values);
  return spread;
}

// The value below which a share Phi(z) of the replicates lies. Too far out for an order statistic, by the first
// terms of Cornish and Fisher's expansion from the replicates' moments.
double quantile(const Spread& spread, double z) {
  const double share = normal_cdf(z);
  const auto count = static_cast<double>(spread.sorted.size());
  if (std::min(share, 1 - share) * count < 10)
    return spread.mean + spread.deviation * (z + spread.skewness * (z * z - 1) / 6);
  const double place = std::clamp(share * (count + 1) - 1, 0.0, count - 1);
  const auto low = static_cast<std::size_t>(place);
  const std::size_t high = std::min(low + 1, spread.sorted.size() - 1);
  return spread.sorted[low] + (place - static_cast<double>(low)) * (spread.sorted[high] - spread.sorted[low]);
}

}  // namespace

BootstrapGain bootstrap_gain(const PairedSample& sample, double tail, std::uint64_t seed) {
  const auto rows = static_cast<std::size_t>(sample.rows);
  std::vector<std::uint32_t> weights(rows, 1);
  BootstrapGain result;
  result.gain = sample.gain(weights);
  const Units units = units_of(sample);
  const Influence influence = influence_of(sample, units);
  result.effective_rows = influence.effective_rows;

  const auto pools = pools_of(sample, units);
  std::mt19937_64 random(seed);
  std::vector<double> gains(replicates_for(tail, sample.rows));
  for (double& gain : gains) {
    draw_weights(units, pools, random, weights);
    gain = sample.gain(weights);
  }
  result.replicates = static_cast<std::int64_t>(gains.size());
  const Spread spread = spread_of(std::move(gains));
  result.standard_error = spread.deviation;
  if (!(spread.deviation > 1e-12 * (1 + std::abs(result.gain)))) {
    result.standard_error = 0;
    result.bounds = {result.gain, result.gain};
    return result;
  }

  const auto count = static_cast<double>(spread.sorted.size());
  const auto [below, above] = std::equal_range(spread.sorted.begin(), spread.sorted.end(), result.gain);
  const double share = (static_cast<double>(below - spread.sorted.begin()) +
                        static_cast<double>(above - spread.sorted.begin())) / (2 * count);
  const double bias = -normal_upper_quantile(std::clamp(share, 0.5 / count, 1 - 0.5 / count));
  const double z = widened(normal_upper_quantile(tail), influence.effective_rows);
  const auto corrected = [&](double at) {
    const double moved = bias + at;
    return bias + moved / std::max(0.25, 1 - influence.acceleration * moved);
  };
  result.bounds = {quantile(spread, corrected(-z)), quantile(spread, corrected(z))};
  return result;
}

}  // namespace hone::metrics
