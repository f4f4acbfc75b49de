// `train.normalise`: mean 0 and standard deviation 1 for what the first layer gets.
#pragma once

#include "base/result.hpp"
#include "trainer/input_scale.hpp"
#include "trainer/plan.hpp"
#include "trainer/rows.hpp"

namespace hone::trainer {

// Standard deviations beyond which values are clipped: far from anything that is learned from.
inline constexpr float kStandardClip = 10;

// Of the rows that are fitted (split_by_content): one mean and deviation for each channel of an image
// that goes through convolutions or pools, else for each element. What does not vary is only centred.
// `rows` must fit plan.signal and not be empty. `unavailable` when libtorch fails.
[[nodiscard]] Result<InputScale> standardise(const Plan& plan, const Rows& rows);

}  // namespace hone::trainer
