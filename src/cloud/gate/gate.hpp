// Decides whether a candidate is markedly better than what the devices run. A pure function over
// facts: no clock, no database, same answer twice, so that a stored verdict can be replayed.
//
// The rule for the first model: promote when its metric reaches `first_goal`, else hold. After that:
//   promote  the lower bound of the gain exceeds the margin, and no label got significantly worse;
//   reject   the upper bound of the gain is below the margin: more holdout rows would not help;
//   hold     everything in between: more rows may decide it (`rows_needed`), or a label got worse.
// The bounds are Tango's score interval for paired proportions at the pipeline's confidence. It is
// two-sided: a model that is no better than the margin passes in at most (1 - confidence) / 2 of cases.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
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

  [[nodiscard]] static GatePolicy from(const GateRules& rules);
};

// The rows of one label. In paired counts `first` is the deployed model, `second` the candidate.
struct SliceFacts {
  std::string label;
  metrics::PairedCounts counts;
};

// Both models are measured on the same holdout rows: all of the candidate's dataset version.
struct CandidateFacts {
  std::int64_t rows = 0;           // of the holdout
  std::int64_t labelled_rows = 0;  // those that count
  double metric = 0;               // 0 when no row is labelled
};

struct DeployedFacts {
  double metric = 0;
  metrics::PairedCounts counts;    // counts.n() == labelled_rows
  std::vector<SliceFacts> slices;  // one for each label that has rows
};

enum class Decision : std::uint8_t { promote, hold, reject };
[[nodiscard]] std::string_view name_of(Decision decision);

struct SliceVerdict {
  std::string label;
  metrics::PairedCounts counts;
  metrics::Interval gain;  // of the candidate on these rows
  bool worse = false;      // gain.upper < -no_slice_worse_than
};

// The decision and every number that it stands on.
struct Verdict {
  Decision decision = Decision::hold;
  std::string reason;     // one sentence, with the numbers
  bool goal_met = false;  // the candidate's metric on the holdout is at least the goal
  bool first = false;     // nothing was deployed: what follows but the metric and the rows is empty
  std::string metric;     // "accuracy"
  double candidate_metric = 0;
  double deployed_metric = 0;
  std::int64_t rows = 0;
  std::int64_t labelled_rows = 0;
  metrics::PairedCounts counts;
  double gain = 0;  // candidate minus deployed
  metrics::Interval gain_bounds;
  double margin = 0;
  double confidence = 0;
  double mcnemar_p = 1;
  // Labelled holdout rows at which the lower bound would exceed the margin if the observed rates of
  // discordant rows persist; nullopt when the observed gain is at most the margin.
  std::optional<std::int64_t> rows_needed;
  std::vector<SliceVerdict> slices;
};

[[nodiscard]] Verdict decide(const GatePolicy& policy, const std::optional<DeployedFacts>& deployed,
                             const CandidateFacts& candidate);

// What is stored of a decision: the question beside the answer.
struct GateRecord {
  GatePolicy policy;
  std::optional<DeployedFacts> deployed;
  CandidateFacts candidate;
  Verdict verdict;
};

[[nodiscard]] Json to_json(const Verdict& verdict);
[[nodiscard]] Json to_json(const GateRecord& record);  // {"policy", "deployed" or null, "candidate", "verdict"}
[[nodiscard]] Result<Verdict> verdict_from(const Json& json);
[[nodiscard]] Result<GateRecord> gate_record_from(const Json& json);

}  // namespace hone::cloud
