// From byte budgets and what each bought to the update that becomes the candidate. Pure: no libtorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hone::trainer::wire_training {

struct CurvePoint {
  std::uint64_t budget = 0;  // bytes
  std::uint64_t bytes = 0;   // taken on the wire
  double validation_metric = 0;
};

// The budgets worth trying, largest first: the whole one, then what lies below it of 4, 2, 1, 0.5, 0.25 and
// 0.1% of the full fp32 weights, those apart that are hardly smaller than it.
[[nodiscard]] std::vector<std::uint64_t> budgets_below(std::uint64_t budget, std::uint64_t fp32_bytes);

// Whether a metric keeps `keep` of what the free update gained over the deployed model. Where that gained
// nothing, it is enough to be no worse than the free one.
[[nodiscard]] bool keeps(double metric, double deployed, double free, double keep);

// The place of the point with the fewest bytes that keeps enough; none when none does.
[[nodiscard]] std::optional<std::size_t> cheapest_that_keeps(const std::vector<CurvePoint>& points, double deployed, double free,
                                                             double keep);

}  // namespace hone::trainer::wire_training
