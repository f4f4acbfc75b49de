// The area under the ROC curve, for tests that know what stands out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace hone::trainer::testing {

// Mann-Whitney: the share of pairs in which the strange row has the higher score, ties counting half.
inline double auc(const std::vector<float>& scores, const std::vector<bool>& strange) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double ranks = 0, positives = 0;
  for (std::size_t from = 0; from < order.size();) {
    std::size_t to = from;
    double tied = 0;
    while (to < order.size() && scores[order[to]] == scores[order[from]]) tied += strange[order[to++]] ? 1 : 0;
    ranks += tied * (static_cast<double>(from + to + 1) / 2);
    positives += tied;
    from = to;
  }
  const double negatives = static_cast<double>(scores.size()) - positives;
  return (ranks - positives * (positives + 1) / 2) / (positives * negatives);
}

}  // namespace hone::trainer::testing
