#include "cloud/gate/compare.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "shared/metrics/paired_bootstrap.hpp"
#include "shared/metrics/paired_gain.hpp"

namespace hone::cloud {
namespace {

Comparison compare_counts(const metrics::PairedCounts& counts, double tail) {
  Comparison result;
  result.counts = counts;
  result.rows = counts.n();
  if (result.rows == 0) return result;
  result.gain = static_cast<double>(counts.only_second - counts.only_first) / static_cast<double>(result.rows);
  result.bounds = metrics::tango_interval(counts, 1 - 2 * tail);
  return result;
}

PairedRows without_twins(const PairedRows& rows) {
  PairedRows kept;
  for (std::size_t row = 0; row < rows.label.size(); ++row) {
    if (rows.twin[row] != 0) continue;
    kept.label.push_back(rows.label[row]);
    kept.twin.push_back(0);
    kept.deployed.push_back(rows.deployed[row]);
    kept.candidate.push_back(rows.candidate[row]);
  }
  return kept;
}

Comparison compare_rows(Metric metric, const PairedRows& rows, std::int32_t classes, double tail, std::uint64_t seed) {
  Comparison result;
  result.rows = rows.size();
  if (result.rows == 0) return result;
  metrics::PairedSample sample{result.rows, {}, {}};
  switch (metric) {
    case Metric::f1: sample.gain = metrics::f1_gain(rows.label, rows.deployed, rows.candidate, classes); break;
    case Metric::auc:
      sample.gain = metrics::auc_gain(rows.label, rows.deployed, rows.candidate);
      sample.strata = rows.label;
      break;
    case Metric::accuracy:
    case Metric::silhouette:
    case Metric::reconstruction:
    case Metric::score: sample.gain = metrics::mean_gain(rows.deployed, rows.candidate); break;
  }
  const metrics::BootstrapGain gain = metrics::bootstrap_gain(sample, tail, seed);
  result.gain = gain.gain;
  result.bounds = gain.bounds;
  result.standard_error = gain.standard_error;
  result.effective_rows = gain.effective_rows;
  result.replicates = gain.replicates;
  return result;
}

// The one-sided p that the mean of second - first over the rows of label `slice` is at least `lowest`.
SliceVerdict judge_scores(const PairedRows& rows, std::size_t slice, double lowest) {
  SliceVerdict verdict;
  double sum = 0, squares = 0;
  for (std::size_t row = 0; row < rows.label.size(); ++row) {
    if (rows.label[row] != static_cast<std::int32_t>(slice)) continue;
    const double difference = rows.candidate[row] - rows.deployed[row];
    sum += difference;
    squares += difference * difference;
    ++verdict.rows;
  }
  const auto n = static_cast<double>(verdict.rows);
  if (verdict.rows == 0) return verdict;
  verdict.gain = sum / n;
  // The normal distribution is no guide to the mean of a handful of figures.
  if (n < kEffectiveRowsMin) return verdict;
  const double error = std::sqrt(std::max(0.0, squares - sum * sum / n) / (n - 1) / n);
  const double distance = verdict.gain - lowest;
  verdict.p = error > 0 ? metrics::normal_cdf(distance / error) : (distance < 0 ? 0 : 1);
  return verdict;
}

// Holm (1979): the smallest p against level / m, the next one against level / (m - 1), until one does not pass.
void mark_worse(std::vector<SliceVerdict>& slices, double level) {
  std::vector<std::size_t> order(slices.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return slices[a].p < slices[b].p; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (slices[order[i]].p > level / static_cast<double>(order.size() - i)) return;
    slices[order[i]].worse = true;
  }
}

}  // namespace

Comparison compare(const GatePolicy& policy, const DeployedFacts& facts, bool without_twin, double tail) {
  if (policy.metric == Metric::accuracy)
    return compare_counts(without_twin ? facts.counts_without_twin : facts.counts, tail);
  const auto classes = static_cast<std::int32_t>(facts.slices.size());
  if (!without_twin) return compare_rows(policy.metric, facts.rows, classes, tail, facts.seed);
  return compare_rows(policy.metric, without_twins(facts.rows), classes, tail, facts.seed);
}

std::optional<std::int64_t> rows_to_prove(const GatePolicy& policy, const Comparison& comparison, double gain,
                                          double tail) {
  if (policy.metric == Metric::accuracy)
    return metrics::rows_to_prove(policy.margin, gain, comparison.counts, 1 - 2 * tail, kPower);
  if (!(gain > policy.margin) || comparison.rows == 0) return std::nullopt;
  const auto n = static_cast<double>(comparison.rows);
  const double effective = std::max(1.0, comparison.effective_rows);
  // One standard deviation of the variance's own error more than was seen; at few rows Student's reach.
  const double variance = comparison.standard_error * comparison.standard_error * n * (1 + std::sqrt(2 / effective));
  const double reach = metrics::normal_upper_quantile(tail) * 1.05 + metrics::normal_upper_quantile(1 - kPower);
  const double rows = std::max(reach * reach * variance / ((gain - policy.margin) * (gain - policy.margin)),
                               kEffectiveRowsMin * 1.5 * n / effective);
  if (!(rows < 1e15)) return std::nullopt;
  return static_cast<std::int64_t>(std::floor(rows)) + 1;
}

std::vector<SliceVerdict> judge_slices(const GatePolicy& policy, const DeployedFacts& facts) {
  std::vector<SliceVerdict> slices;
  if (policy.no_slice_worse_than >= 1) return slices;
  for (std::size_t i = 0; i < facts.slices.size(); ++i) {
    const metrics::PairedCounts& counts = facts.slices[i].counts;
    SliceVerdict slice;
    if (policy.metric == Metric::score) {
      slice = judge_scores(facts.rows, i, -policy.no_slice_worse_than);
    } else if (counts.n() > 0) {
      slice.rows = counts.n();
      slice.gain = static_cast<double>(counts.only_second - counts.only_first) / static_cast<double>(slice.rows);
      slice.p = metrics::tango_p_below(-policy.no_slice_worse_than, counts);
    }
    if (slice.rows == 0) continue;
    slice.label = facts.slices[i].label;
    slices.push_back(std::move(slice));
  }
  mark_worse(slices, (1 - policy.confidence) / 2);
  return slices;
}

}  // namespace hone::cloud
