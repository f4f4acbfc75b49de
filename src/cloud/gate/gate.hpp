// Decides whether a candidate is markedly better than what the devices run. A pure function over
// facts: no clock, no database, same answer twice, so that a stored verdict can be replayed.
//
// The rule for the first model: promote when its metric reaches `first_goal`, else hold. After that:
//   promote  the lower bound of the gain exceeds the margin, and no slice got significantly worse;
//   reject   the upper bound of the gain is below the margin: more holdout rows would not help;
//   hold     everything in between: more rows may decide it (`rows_needed`), or a slice got worse.
// A degenerate clustering is rejected before all else. docs/gate.md explains every number here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "cloud/gate/look.hpp"
#include "shared/metrics/accuracy.hpp"
#include "shared/pipeline/pipeline.hpp"

namespace hone::cloud {

struct GatePolicy {
  Metric metric = Metric::accuracy;
  double goal = 0;
  double first_goal = 0;
  double margin = 0;
  double confidence = 0.95;
  double no_slice_worse_than = 0;  // 1: no slice ever holds a candidate
  double smallest_cluster = 0.01;  // silhouette: a cluster with a smaller share of the holdout is degenerate

  [[nodiscard]] static GatePolicy from(const GateRules& rules);
};

// What both models did on each measured row, where counts do not say enough. All of one length.
struct PairedRows {
  std::vector<std::int32_t> label;   // -1: none
  std::vector<std::uint8_t> twin;    // 1: training holds nearly the same row
  std::vector<double> deployed;      // accuracy, f1: the predicted label; auc: the score of label 1;
  std::vector<double> candidate;     // silhouette, score: the row's own figure
  std::vector<std::uint32_t> block;  // rows of one number resemble each other; empty: all are independent
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(label.size()); }
};

// The rows of one label. In paired counts `first` is the deployed model, `second` the candidate.
struct SliceFacts {
  std::string label;
  metrics::PairedCounts counts;  // empty for the metric "score", whose slices are in the rows: label i is slice i
};

// Both models are measured on the same holdout rows: all of the candidate's dataset version.
struct CandidateFacts {
  std::int64_t rows = 0;           // of the holdout
  std::int64_t measured_rows = 0;  // those that count: with a label, or all where the metric needs none
  double metric = 0;               // 0 when no row is measured
  std::int64_t rows_with_twin = 0;                // measured rows that training holds nearly the same
  std::vector<std::int64_t> cluster_sizes;        // silhouette: the candidate's, on these rows
  std::string ruler;  // silhouette: hash of the model in whose features both were measured
};

struct DeployedFacts {
  double metric = 0;
  metrics::PairedCounts counts;               // accuracy: counts.n() == measured_rows
  metrics::PairedCounts counts_without_twin;  // accuracy: of the rows without a twin
  std::vector<SliceFacts> slices;             // accuracy, f1, score: one a label
  PairedRows rows;                            // every measured row: of the other metrics, and of all where rows come in blocks
  Look look{};                                // this comparison's place among those on this holdout
  std::uint64_t seed = 1;                     // of the resampling
};

enum class Decision : std::uint8_t { promote, hold, reject };
[[nodiscard]] std::string_view name_of(Decision decision);

struct SliceVerdict {
  std::string label;
  std::int64_t rows = 0;
  double gain = 0;     // of the candidate on these rows: of the share that is right, or of the mean score
  double p = 1;        // one-sided, that the slice lost no more than no_slice_worse_than
  bool worse = false;  // significantly, after Holm's correction over the slices
};

// The comparison on the rows that have no near-identical row in the training part.
struct TwinFreeVerdict {
  std::int64_t rows = 0;
  double gain = 0;
  metrics::Interval gain_bounds;
  bool too_few = false;  // of them tell the two models apart: the bounds prove nothing
};

// The decision and every number that it stands on.
struct Verdict {
  Decision decision = Decision::hold;
  std::string reason;     // one sentence, with the numbers
  bool goal_met = false;  // the candidate's metric on the holdout is at least the goal
  bool first = false;     // nothing was deployed
  bool compared = false;  // with the deployed model; else what follows but the metric and the rows is empty
  std::string metric;     // "accuracy"
  double candidate_metric = 0;
  double deployed_metric = 0;
  std::int64_t rows = 0;
  std::int64_t measured_rows = 0;
  std::int64_t rows_with_twin = 0;
  std::string ruler;             // silhouette
  metrics::PairedCounts counts;  // accuracy
  double gain = 0;               // candidate minus deployed
  metrics::Interval gain_bounds;
  double margin = 0;
  double confidence = 0;       // what the pipeline asks for, over all looks at this holdout
  std::int64_t look = 0;       // this comparison's number at this holdout
  double look_confidence = 0;  // two-sided, of gain_bounds: what this look may spend of it
  double mcnemar_p = 1;        // accuracy; decides nothing
  std::int64_t replicates = 0;  // the other metrics: resamplings behind the bounds, ...
  double effective_rows = 0;    // ... and how many rows, or blocks, tell the two models apart (see paired_bootstrap.hpp)
  std::int64_t blocks = 0;      // that the measured rows come in; 0: they are independent
  // Measured holdout rows at which a true gain of `rows_needed_gain` is promoted with a probability of 95%; nullopt
  // when the holdout is large enough to see twice the margin and the observed gain is at most the margin.
  std::optional<std::int64_t> rows_needed;
  double rows_needed_gain = 0;
  std::optional<TwinFreeVerdict> without_twin;  // when so many rows have a twin that it matters
  std::vector<SliceVerdict> slices;
};

[[nodiscard]] Verdict decide(const GatePolicy& policy, const std::optional<DeployedFacts>& deployed,
                             const CandidateFacts& candidate);

// The verdict in sentences for a person, the reason first.
[[nodiscard]] std::vector<std::string> in_words(const Verdict& verdict);

// What is stored of a decision: the question beside the answer.
struct GateRecord {
  GatePolicy policy;
  std::optional<DeployedFacts> deployed;
  CandidateFacts candidate;
  Verdict verdict;
};

[[nodiscard]] Json to_json(const Verdict& verdict);  // with its words
// {"policy", "deployed" or null, "candidate", "look", "verdict"}. Rows are not in it: deployed.rows names the SHA-256
// of rows_to_npy, which is stored beside it.
[[nodiscard]] Json to_json(const GateRecord& record);
[[nodiscard]] Result<Verdict> verdict_from(const Json& json);
// `npy` must be the rows that the record names, and may be empty when it names none.
[[nodiscard]] Result<GateRecord> gate_record_from(const Json& json, ByteView npy = {});

// A .npy matrix of float64 with the columns label, twin, deployed, candidate and, where rows come in blocks, block.
[[nodiscard]] Bytes rows_to_npy(const PairedRows& rows);
[[nodiscard]] Result<PairedRows> rows_from_npy(ByteView npy);

}  // namespace hone::cloud
