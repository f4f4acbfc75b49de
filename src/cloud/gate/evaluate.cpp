#include "cloud/gate/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "shared/metrics/draw.hpp"
#include "shared/metrics/paired_gain.hpp"

namespace hone::cloud {
namespace {

void count(metrics::PairedCounts& counts, bool first_right, bool second_right) {
  if (first_right)
    ++(second_right ? counts.both : counts.only_first);
  else
    ++(second_right ? counts.only_second : counts.neither);
}

Result<> check_rows(std::string_view what, std::size_t rows, std::size_t labels) {
  if (rows == labels) return {};
  return fail(Code::invalid, std::string(what) + " has " + std::to_string(rows) + " answers for " +
                                 std::to_string(labels) + " holdout rows");
}

Result<> check_figures(std::string_view what, std::span<const double> figures) {
  for (std::size_t row = 0; row < figures.size(); ++row)
    if (!std::isfinite(figures[row]))
      return fail(Code::invalid, std::string(what) + " gave a figure for row " + std::to_string(row) +
                                     " that is no finite number");
  return {};
}

double mean(std::span<const double> values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

bool has_twin(const Kinship& kinship, std::size_t row) { return !kinship.twins.empty() && kinship.twins[row] != 0; }

Result<> check_kinship(const Kinship& kinship, std::size_t rows) {
  if (!kinship.twins.empty()) HONE_CHECK(check_rows("the leak check", kinship.twins.size(), rows));
  if (!kinship.blocks.empty()) HONE_CHECK(check_rows("the list of blocks", kinship.blocks.size(), rows));
  return {};
}

double measure(Metric metric, const PairedRows& rows, const std::vector<double>& answers, std::size_t labels) {
  if (rows.size() == 0) return 0;
  switch (metric) {
    case Metric::f1: return metrics::f1(rows.label, answers, static_cast<std::int32_t>(labels));
    case Metric::auc: return metrics::auc(rows.label, answers);
    case Metric::accuracy: {
      std::int64_t right = 0;
      for (std::size_t row = 0; row < answers.size(); ++row) right += answers[row] == rows.label[row] ? 1 : 0;
      return static_cast<double>(right) / static_cast<double>(rows.size());
    }
    case Metric::silhouette:
    case Metric::reconstruction:
    case Metric::score: return mean(answers);
  }
  return 0;
}

std::vector<SliceFacts> slices_of(const std::vector<std::string>& names) {
  std::vector<SliceFacts> slices;
  for (const std::string& name : names) slices.push_back({name, {}});
  return slices;
}

std::vector<std::int64_t> sizes_of(std::span<const std::int32_t> clusters) {
  std::vector<std::int64_t> sizes;
  for (const std::int32_t cluster : clusters) {
    if (static_cast<std::size_t>(cluster) >= sizes.size()) sizes.resize(static_cast<std::size_t>(cluster) + 1);
    ++sizes[static_cast<std::size_t>(cluster)];
  }
  return sizes;
}

// Pseudo-values of `which` of the rows, each measured against all.
Result<std::vector<double>> silhouettes(const metrics::Matrix<float>& features, std::span<const std::int32_t> clusters,
                                        std::span<const std::int64_t> which) {
  for (const std::int32_t cluster : clusters)
    if (cluster < 0 || cluster >= kClustersMax)
      return fail(Code::invalid, "the cluster " + std::to_string(cluster) + " is not between 0 and " +
                                     std::to_string(kClustersMax - 1));
  const auto sizes = sizes_of(clusters);
  const auto used = std::count_if(sizes.begin(), sizes.end(), [](std::int64_t size) { return size > 0; });
  if (used < 2 || static_cast<std::size_t>(used) == clusters.size()) return std::vector<double>(which.size(), 0.0);
  return metrics::silhouette_pseudo_values(features, clusters, which);
}

}  // namespace

Result<std::vector<double>> answers_of(Metric metric, std::span<const float> scores, std::int64_t width,
                                       std::size_t labels) {
  if (metric == Metric::silhouette || metric == Metric::score || metric == Metric::reconstruction)
    return fail(Code::invalid, "'" + std::string(name_of(metric)) + "' is not measured by scores of labels");
  const bool fits = static_cast<std::size_t>(width) == labels || (metric == Metric::auc && width == 1);
  if (!fits || width <= 0 || scores.size() % static_cast<std::size_t>(width) != 0)
    return fail(Code::invalid, "the model gives " + std::to_string(width) + " scores, the pipeline has " +
                                   std::to_string(labels) + " labels");
  if (metric != Metric::auc) {
    const auto best = metrics::argmax_rows(scores, width);
    return std::vector<double>(best.begin(), best.end());
  }
  std::vector<double> answers;
  for (std::size_t at = 0; at < scores.size(); at += static_cast<std::size_t>(width)) {
    const double score = width == 1 ? static_cast<double>(scores[at])
                                    : static_cast<double>(scores[at + 1]) - static_cast<double>(scores[at]);
    answers.push_back(score);
  }
  HONE_CHECK(check_figures("the model", answers));
  return answers;
}

Result<Facts> facts_from_answers(Metric metric, std::span<const double> candidate,
                                 std::optional<std::span<const double>> deployed,
                                 std::span<const std::int64_t> labels, const std::vector<std::string>& label_names,
                                 const Kinship& kinship) {
  HONE_CHECK(check_rows("the candidate", candidate.size(), labels.size()));
  if (deployed) HONE_CHECK(check_rows("the deployed model", deployed->size(), labels.size()));
  HONE_CHECK(check_kinship(kinship, labels.size()));

  DeployedFacts both;
  both.slices = slices_of(label_names);
  PairedRows& measured = both.rows;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const std::int64_t label = labels[row];
    if (label == -1) continue;
    if (label < 0 || label >= static_cast<std::int64_t>(label_names.size()))
      return fail(Code::invalid, "holdout row " + std::to_string(row) + " has the label " + std::to_string(label) +
                                     ", which the pipeline does not name");
    measured.label.push_back(static_cast<std::int32_t>(label));
    measured.twin.push_back(has_twin(kinship, row) ? 1 : 0);
    measured.candidate.push_back(candidate[row]);
    if (!kinship.blocks.empty()) measured.block.push_back(kinship.blocks[row]);
    if (!deployed) continue;
    measured.deployed.push_back((*deployed)[row]);
    if (metric == Metric::auc) continue;
    const auto said = static_cast<double>(label);
    const bool first_right = (*deployed)[row] == said;
    const bool second_right = candidate[row] == said;
    count(both.counts, first_right, second_right);
    if (!has_twin(kinship, row)) count(both.counts_without_twin, first_right, second_right);
    count(both.slices[static_cast<std::size_t>(label)].counts, first_right, second_right);
  }

  Facts facts;
  facts.candidate.rows = static_cast<std::int64_t>(labels.size());
  facts.candidate.measured_rows = measured.size();
  facts.candidate.metric = measure(metric, measured, measured.candidate, label_names.size());
  facts.candidate.rows_with_twin = std::count(measured.twin.begin(), measured.twin.end(), 1);
  if (!deployed) return facts;
  both.metric = measure(metric, measured, measured.deployed, label_names.size());
  if (metric != Metric::accuracy)
    both.counts = both.counts_without_twin = {};
  else if (measured.block.empty())
    measured = {};  // the counts say all
  facts.deployed = std::move(both);
  return facts;
}

Result<Facts> facts_from_figures(std::span<const double> candidate, std::optional<std::span<const double>> deployed,
                                 std::span<const std::int64_t> labels, const std::vector<std::string>& label_names,
                                 const Kinship& kinship) {
  const std::size_t rows = candidate.size();
  if (!labels.empty()) HONE_CHECK(check_rows("the candidate", rows, labels.size()));
  if (deployed) HONE_CHECK(check_rows("the deployed model", deployed->size(), rows));
  HONE_CHECK(check_kinship(kinship, rows));
  HONE_CHECK(check_figures("the candidate", candidate));
  if (deployed) HONE_CHECK(check_figures("the deployed model", *deployed));

  Facts facts;
  facts.candidate.rows = facts.candidate.measured_rows = static_cast<std::int64_t>(rows);
  facts.candidate.metric = mean(candidate);
  facts.candidate.rows_with_twin =
      std::count_if(kinship.twins.begin(), kinship.twins.end(), [](std::uint8_t twin) { return twin != 0; });
  if (!deployed) return facts;
  DeployedFacts& both = facts.deployed.emplace();
  both.metric = mean(*deployed);
  both.slices = slices_of(label_names);
  both.rows.candidate.assign(candidate.begin(), candidate.end());
  both.rows.deployed.assign(deployed->begin(), deployed->end());
  both.rows.block.assign(kinship.blocks.begin(), kinship.blocks.end());
  for (std::size_t row = 0; row < rows; ++row) {
    const std::int64_t label = labels.empty() ? -1 : labels[row];
    both.rows.label.push_back(label >= 0 && label < static_cast<std::int64_t>(label_names.size())
                                  ? static_cast<std::int32_t>(label)
                                  : -1);
    both.rows.twin.push_back(has_twin(kinship, row) ? 1 : 0);
  }
  return facts;
}

Result<Facts> facts_from_clusters(const Clusterings& both, std::int64_t rows_max, std::uint64_t seed) {
  const auto rows = static_cast<std::size_t>(both.features.rows);
  HONE_CHECK(check_rows("the candidate", both.candidate.size(), rows));
  if (both.deployed) HONE_CHECK(check_rows("the deployed model", both.deployed->size(), rows));
  HONE_CHECK(check_kinship(both.kinship, rows));
  const auto which = metrics::draw_rows(both.features.rows, rows_max, seed);
  const auto twins = metrics::values_at<std::uint8_t>(which, both.kinship.twins);
  const auto blocks = metrics::values_at<std::uint32_t>(which, both.kinship.blocks);

  HONE_TRY(const std::vector<double> second, silhouettes(both.features, both.candidate, which));
  std::vector<double> first;
  std::optional<std::span<const double>> deployed;
  if (both.deployed) {
    HONE_TRY(first, silhouettes(both.features, *both.deployed, which));
    deployed = first;
  }
  HONE_TRY(Facts facts, facts_from_figures(second, deployed, {}, {}, {twins, blocks}));
  facts.candidate.rows = both.features.rows;
  facts.candidate.cluster_sizes = sizes_of(both.candidate);
  return facts;
}

}  // namespace hone::cloud
