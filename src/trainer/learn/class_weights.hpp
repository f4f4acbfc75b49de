// `train.balance`: what a row of each label weighs, so that rare labels are learned too.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hone::trainer {

// A row of a label never weighs more than this many times what a row weighs on average: a handful of
// rows, perhaps mislabelled, must not drown the others.
inline constexpr float kRareWeightMax = 10;

// rows / (labels that occur * rows of the label), at most kRareWeightMax; 1 for a label that no row has.
// `labels` are within 0 .. count-1.
[[nodiscard]] std::vector<float> class_weights(std::span<const std::int64_t> labels, std::int64_t count);

}  // namespace hone::trainer
