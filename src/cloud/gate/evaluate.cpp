#include "cloud/gate/evaluate.hpp"

#include <cstddef>
#include <utility>

namespace hone::cloud {
namespace {

void count(metrics::PairedCounts& counts, bool first_right, bool second_right) {
  if (first_right)
    ++(second_right ? counts.both : counts.only_first);
  else
    ++(second_right ? counts.only_second : counts.neither);
}

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

Result<> check_rows(std::string_view what, std::size_t rows, std::size_t labels) {
  if (rows == labels) return {};
  return fail(Code::invalid, std::string(what) + " has " + std::to_string(rows) + " predictions for " +
                                 std::to_string(labels) + " holdout rows");
}

Result<> check_scores(std::string_view what, std::size_t scores, std::size_t rows, std::size_t width) {
  if (width != 0 && scores == rows * width) return {};
  return fail(Code::invalid, std::string(what) + " gave " + std::to_string(scores) + " scores for " +
                                 std::to_string(rows) + " holdout rows and " + std::to_string(width) + " labels");
}

}  // namespace

Result<Facts> facts_from_predictions(std::span<const std::int32_t> candidate,
                                     std::optional<std::span<const std::int32_t>> deployed,
                                     std::span<const std::int64_t> labels,
                                     const std::vector<std::string>& label_names) {
  HONE_CHECK(check_rows("the candidate", candidate.size(), labels.size()));
  if (deployed) HONE_CHECK(check_rows("the deployed model", deployed->size(), labels.size()));

  std::vector<SliceFacts> slices;
  for (const std::string& name : label_names) slices.push_back({name, {}});
  metrics::PairedCounts all;
  std::int64_t candidate_right = 0;
  std::int64_t labelled = 0;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const std::int64_t label = labels[row];
    if (label == -1) continue;
    if (label < 0 || label >= static_cast<std::int64_t>(label_names.size()))
      return fail(Code::invalid, "holdout row " + std::to_string(row) + " has the label " + std::to_string(label) +
                                     ", which the pipeline does not name");
    ++labelled;
    const bool second_right = candidate[row] == label;
    candidate_right += second_right ? 1 : 0;
    if (!deployed) continue;
    const bool first_right = (*deployed)[row] == label;
    count(all, first_right, second_right);
    count(slices[static_cast<std::size_t>(label)].counts, first_right, second_right);
  }

  Facts facts;
  facts.candidate = {static_cast<std::int64_t>(labels.size()), labelled, share(candidate_right, labelled)};
  if (deployed) {
    std::erase_if(slices, [](const SliceFacts& slice) { return slice.counts.n() == 0; });
    facts.deployed = DeployedFacts{share(all.both + all.only_first, labelled), all, std::move(slices)};
  }
  return facts;
}

Result<Facts> facts_from_scores(std::span<const float> candidate, std::optional<std::span<const float>> deployed,
                                std::span<const std::int64_t> labels, const std::vector<std::string>& label_names) {
  const std::size_t width = label_names.size();
  HONE_CHECK(check_scores("the candidate", candidate.size(), labels.size(), width));
  const auto second = metrics::argmax_rows(candidate, static_cast<std::int64_t>(width));
  if (!deployed) return facts_from_predictions(second, std::nullopt, labels, label_names);
  HONE_CHECK(check_scores("the deployed model", deployed->size(), labels.size(), width));
  const auto first = metrics::argmax_rows(*deployed, static_cast<std::int64_t>(width));
  return facts_from_predictions(second, std::span<const std::int32_t>(first), labels, label_names);
}

}  // namespace hone::cloud
