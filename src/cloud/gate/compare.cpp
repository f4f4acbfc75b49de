#include "cloud/gate/compare.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <numeric>
#include <span>
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
    if (!rows.block.empty()) kept.block.push_back(rows.block[row]);
  }
  return kept;
}

// 1 where the predicted label is the row's, else 0.
std::vector<double> right(const std::vector<std::int32_t>& labels, const std::vector<double>& predicted) {
  std::vector<double> values(labels.size());
  for (std::size_t row = 0; row < labels.size(); ++row) values[row] = predicted[row] == labels[row] ? 1 : 0;
  return values;
}

Comparison compare_rows(Metric metric, const PairedRows& rows, std::int32_t classes, double tail, std::uint64_t seed) {
  Comparison result;
  result.rows = rows.size();
  if (result.rows == 0) return result;
  metrics::PairedSample sample{result.rows, {}, {}, rows.block};
  std::vector<double> first_right, second_right;
  switch (metric) {
    case Metric::f1: sample.gain = metrics::f1_gain(rows.label, rows.deployed, rows.candidate, classes); break;
    case Metric::auc:
      sample.gain = metrics::auc_gain(rows.label, rows.deployed, rows.candidate);
      sample.strata = rows.label;
      break;
    case Metric::accuracy:
      first_right = right(rows.label, rows.deployed);
      second_right = right(rows.label, rows.candidate);
      sample.gain = metrics::mean_gain(first_right, second_right);
      break;
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

// The one-sided p that the mean of second - first over the rows of label `slice` is at least `lowest`. Rows of one block
// count as one (the cluster-robust error: Liang and Zeger 1986).
SliceVerdict judge_rows(const PairedRows& rows, std::span<const double> first, std::span<const double> second,
                        std::size_t slice, double lowest) {
  SliceVerdict verdict;
  struct Unit {
    double sum = 0, rows = 0;
  };
  std::map<std::size_t, Unit> units;
  double sum = 0;
  for (std::size_t row = 0; row < rows.label.size(); ++row) {
    if (rows.label[row] != static_cast<std::int32_t>(slice)) continue;
    Unit& unit = units[rows.block.empty() ? row : rows.block[row]];
    unit.sum += second[row] - first[row];
    unit.rows += 1;
    sum += second[row] - first[row];
    ++verdict.rows;
  }
  if (verdict.rows == 0) return verdict;
  const auto n = static_cast<double>(verdict.rows);
  const auto count = static_cast<double>(units.size());
  verdict.gain = sum / n;
  // The normal distribution is no guide to the mean of a handful of figures.
  if (count < kEffectiveRowsMin) return verdict;
  double squares = 0;
  for (const auto& [number, unit] : units) {
    const double off = unit.sum - unit.rows * verdict.gain;
    squares += off * off;
  }
  const double error = std::sqrt(count / (count - 1) * squares) / n;
  const double distance = verdict.gain - lowest;
  verdict.p = error > 0 ? metrics::normal_cdf(distance / error) : (distance < 0 ? 0 : 1);
  return verdict;
}

// By right and wrong, but for a score. An AUC is no mean over rows: no label has its own.
SliceVerdict judge_slice(const GatePolicy& policy, const DeployedFacts& facts, std::size_t slice) {
  const double lowest = -policy.no_slice_worse_than;
  const PairedRows& rows = facts.rows;
  if (policy.metric == Metric::auc) return {};
  if (policy.metric == Metric::score) return judge_rows(rows, rows.deployed, rows.candidate, slice, lowest);
  if (!rows.block.empty())
    return judge_rows(rows, right(rows.label, rows.deployed), right(rows.label, rows.candidate), slice, lowest);
  const metrics::PairedCounts& counts = facts.slices[slice].counts;
  SliceVerdict verdict;
  if (counts.n() == 0) return verdict;
  verdict.rows = counts.n();
  verdict.gain = static_cast<double>(counts.only_second - counts.only_first) / static_cast<double>(verdict.rows);
  verdict.p = metrics::tango_p_below(lowest, counts);
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
  const metrics::PairedCounts& counts = without_twin ? facts.counts_without_twin : facts.counts;
  if (policy.metric == Metric::accuracy && facts.rows.block.empty()) return compare_counts(counts, tail);
  const auto classes = static_cast<std::int32_t>(facts.slices.size());
  Comparison result = without_twin ? compare_rows(policy.metric, without_twins(facts.rows), classes, tail, facts.seed)
                                   : compare_rows(policy.metric, facts.rows, classes, tail, facts.seed);
  result.counts = counts;
  return result;
}

std::optional<std::int64_t> rows_to_prove(const GatePolicy& policy, const Comparison& comparison, double gain,
                                          double tail) {
  if (!comparison.resampled())
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
  if (policy.no_slice_worse_than >= 1 && policy.metric != Metric::score) return slices;
  for (std::size_t i = 0; i < facts.slices.size(); ++i) {
    SliceVerdict slice = judge_slice(policy, facts, i);
    if (slice.rows == 0) continue;
    slice.label = facts.slices[i].label;
    slices.push_back(std::move(slice));
  }
  mark_worse(slices, (1 - policy.confidence) / 2);
  return slices;
}

}  // namespace hone::cloud
