// Looks at one holdout, and what each may cost.
//
// Twenty worthless candidates have twenty chances to look good on the same rows. So the errors that the confidence
// allows are spent over the looks (alpha spending; here by Bonferroni's inequality, which asks nothing about how
// the candidates depend on each other): the k-th look gets 1 / (k (k + 1)) of them: a half, a sixth, a twelfth, ...
// All looks together never spend more than one holdout's allowance, however many there are.
// A holdout that has grown by half since the first look at it counts as new.
#pragma once

#include <cstdint>
#include <optional>

#include "base/json.hpp"
#include "base/result.hpp"

namespace hone::cloud {

struct Look {
  std::int64_t number = 1;      // from 1
  std::int64_t first_rows = 0;  // measured holdout rows at look 1; of clusterings all rows of the holdout
};

constexpr double kNewHoldoutGrowth = 1.5;

// `last` is the look of the newest comparison before this one, if there was any.
[[nodiscard]] Look next_look(const std::optional<Look>& last, std::int64_t measured_rows);

// The probability with which one bound may err at this look: (1 - confidence) / 2 is what all looks share.
[[nodiscard]] double tail_of(const Look& look, double confidence);

// Of the numbers of an earlier verdict, as they are stored; nullopt when it compared nothing (a first model, a
// candidate that could not be run).
[[nodiscard]] std::optional<Look> look_of(const Json& numbers);

}  // namespace hone::cloud
