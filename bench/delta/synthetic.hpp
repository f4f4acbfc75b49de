// The synthetic cases: 1.2 million weights of a CNN-like net, each row with a scale of its own,
// half normal and half Laplace, and versions of it.
//   ia    every weight moved by 1e-3 of its tensor's deviation
//   ib    every weight moved by 1e-3 of itself
//   ii    5% of the weights changed
//   iii   int8, 3% of the values +-1
//   iiib  int8, quantised again after noise of 1e-2 (about 25% changed)
//   iv    an unrelated draw
//   v     as ii, and a tensor of 4,000 weights put in
#pragma once

#include <map>
#include <string>

#include "base/bytes.hpp"

namespace hone::bench {

struct Pair {
  Bytes base;
  Bytes target;
};
[[nodiscard]] std::map<std::string, Pair> synthetic_pairs();

}  // namespace hone::bench
