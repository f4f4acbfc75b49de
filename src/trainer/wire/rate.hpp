// How many bits integers will take, before they are coded: what the delta coder's adaptive counters come
// to for numbers of one kind (is it zero, its sign, how large). Smooth enough to be trained against.
#pragma once

#include <algorithm>
#include <cmath>

namespace hone::trainer::wire_training {

// Of one group of integers: the factors of one component, the steps of one tensor.
struct Group {
  double count = 0;
  double nonzero = 0;
  double sum = 0;  // of absolute values
};

// Zero or not with the group's own share; a sign; sizes from 1 on fall off geometrically.
struct Rate {
  double zero = 0;  // bits of a zero
  double one = 0;   // of 1 or -1
  double more = 0;  // for each step beyond

  [[nodiscard]] double total(const Group& group) const {
    // Counters begin knowing nothing: half the log of the count for each parameter (Rissanen 1984).
    constexpr double kParameters = 3;
    return (group.count - group.nonzero) * zero + group.nonzero * one + (group.sum - group.nonzero) * more +
           kParameters / 2 * std::log2(group.count + 1);
  }
};

[[nodiscard]] inline Rate rate_of(const Group& group) {
  constexpr double kMoreMin = 1e-3;
  constexpr double kMoreUnknown = 0.3;  // while nothing is there
  const double zeros = (group.count - group.nonzero + 0.5) / (group.count + 1);
  const double beyond =
      group.nonzero > 0 ? std::max(kMoreMin, 1 - (group.nonzero + 0.5) / (group.sum + 1)) : kMoreUnknown;
  return {-std::log2(zeros), -std::log2(1 - zeros) + 1 - std::log2(1 - beyond), -std::log2(beyond)};
}

}  // namespace hone::trainer::wire_training
