// How much better the candidate is on the holdout, and how sure that is: Tango's interval for accuracy on independent
// rows, else resampling of paired rows, or of whole blocks where rows come in blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cloud/gate/gate.hpp"
#include "shared/metrics/interval.hpp"

namespace hone::cloud {

// Fewer rows than this tell the two models apart: resampling them says nothing reliable.
constexpr double kEffectiveRowsMin = 20;
// With which a gain is to be proven on as many rows as the gate asks for.
constexpr double kPower = 0.95;

struct Comparison {
  std::int64_t rows = 0;
  double gain = 0;
  metrics::Interval bounds;      // each errs with the probability `tail`
  metrics::PairedCounts counts;  // accuracy
  double standard_error = 0;     // where rows are resampled, from here on
  double effective_rows = 0;
  std::int64_t replicates = 0;
  [[nodiscard]] bool resampled() const { return replicates > 0; }
  [[nodiscard]] bool too_few() const { return resampled() && effective_rows < kEffectiveRowsMin; }
};

// On all measured rows, or on those without a twin. `rows` is 0 when there are none.
[[nodiscard]] Comparison compare(const GatePolicy& policy, const DeployedFacts& facts, bool without_twin, double tail);

// Rows at which a true gain of `gain` > margin is proven with the probability kPower by bounds that err with `tail`.
[[nodiscard]] std::optional<std::int64_t> rows_to_prove(const GatePolicy& policy, const Comparison& comparison,
                                                        double gain, double tail);

// Every slice that has rows; the worse ones marked by Holm's procedure.
[[nodiscard]] std::vector<SliceVerdict> judge_slices(const GatePolicy& policy, const DeployedFacts& facts);

}  // namespace hone::cloud
