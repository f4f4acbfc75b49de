// From what two models said about the holdout to the facts that the gate decides on.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cloud/gate/gate.hpp"
#include "shared/metrics/silhouette.hpp"

namespace hone::cloud {

constexpr std::int32_t kClustersMax = 1 << 20;  // a cluster's number is below it

struct Facts {
  CandidateFacts candidate;
  std::optional<DeployedFacts> deployed;  // its look and seed are the caller's to set
};

// Whom the holdout rows resemble; each is one a row, or empty.
struct Kinship {
  std::span<const std::uint8_t> twins;    // 1 where training holds nearly the same row
  std::span<const std::uint32_t> blocks;  // rows of one number resemble each other: windows of one device and time
};

// One number a row of scores [rows, width], which is all that the metric asks of it: for accuracy and f1 the label with
// the largest score (metrics::argmax_rows), for auc the score of label 1 less that of label 0 (of a width of 1, the
// score). `invalid` when `width` does not fit the metric and the labels, or an auc score is no number.
[[nodiscard]] Result<std::vector<double>> answers_of(Metric metric, std::span<const float> scores, std::int64_t width,
                                                     std::size_t labels);

// For accuracy, f1 and auc, from answers_of both models. `labels` are as in a batch: rows with -1 are left out.
// `deployed` is nullopt for the first model.
// `invalid` when the lengths differ or a label is outside `label_names`.
[[nodiscard]] Result<Facts> facts_from_answers(Metric metric, std::span<const double> candidate,
                                               std::optional<std::span<const double>> deployed,
                                               std::span<const std::int64_t> labels,
                                               const std::vector<std::string>& label_names,
                                               const Kinship& kinship = {});

// For the metric "score": a command's figures, one a row, higher is better. All rows count. Labels make slices where
// there are any (-1: none); both may be empty.
[[nodiscard]] Result<Facts> facts_from_figures(std::span<const double> candidate,
                                               std::optional<std::span<const double>> deployed,
                                               std::span<const std::int64_t> labels,
                                               const std::vector<std::string>& label_names,
                                               const Kinship& kinship = {});

// For the metric "silhouette": both models' clusters of the same rows, of which each is measured against all.
struct Clusterings {
  metrics::Matrix<float> features;  // in the feature space that was frozen with the first release
  std::span<const std::int32_t> candidate;
  std::optional<std::span<const std::int32_t>> deployed;
  Kinship kinship;
};

// Up to `rows_max` rows all are measured; above it so many, drawn from `seed`, the same ones for both models. A
// clustering that has no Silhouette (one cluster, or every row its own) counts 0 on every row; the gate refuses such a
// candidate by its cluster_sizes.
[[nodiscard]] Result<Facts> facts_from_clusters(const Clusterings& clusterings, std::int64_t rows_max,
                                                std::uint64_t seed);

}  // namespace hone::cloud
