#include "cloud/gate/gate.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "cloud/gate/compare.hpp"
#include "cloud/gate/figures.hpp"

namespace hone::cloud {
namespace {

// Twins matter from this share of the measured rows on. Above the second one near-identical rows are the nature of
// the signal: what comes from the field tomorrow has a twin too.
constexpr double kTwinsMatter = 0.01;
constexpr double kTwinsAreNature = 0.5;

std::string count(std::int64_t number) { return std::to_string(number); }

// "accuracy 0.9885 against 0.9712 on 4198 holdout rows (85 only the candidate got right, 12 only the deployed model)"
std::string comparison_in_words(const Verdict& v) {
  const std::string base = v.metric + " " + figure(v.candidate_metric) + " against " + figure(v.deployed_metric) +
                           " on " + count(v.measured_rows) + " holdout rows";
  if (v.metric != name_of(Metric::accuracy)) return base;
  return base + " (" + count(v.counts.only_second) + " only the candidate got right, " + count(v.counts.only_first) +
         " only the deployed model)";
}

std::string bounds_in_words(const Verdict& v) {
  const std::string look = v.look > 1 ? " (look " + count(v.look) + " at this holdout)" : "";
  return "with " + percent(v.look_confidence) + " confidence" + look + " the gain of " + figure(v.gain) +
         " lies between " + figure(v.gain_bounds.lower) + " and " + figure(v.gain_bounds.upper);
}

// Whether rows were left out because measuring all would take too long, and not because they have no label.
bool sampled(const Verdict& v) { return v.metric == name_of(Metric::silhouette) && v.rows > v.measured_rows; }

std::string units_in_words(const Verdict& v) { return v.blocks > 0 ? "blocks of time" : "rows"; }

std::string rows_in_words(const Verdict& v) {
  if (!v.rows_needed)
    return "the observed gain is not above the margin on a holdout that would show twice the margin, so more rows "
           "alone are unlikely to decide it";
  std::string words = "about " + count(*v.rows_needed) + " measured holdout rows would show a gain of " +
                      figure(v.rows_needed_gain) + " with a probability of " + percent(kPower);
  if (sampled(v)) words += " (train.silhouette_rows says how many are measured)";
  return words;
}

void decide_first(const GatePolicy& policy, Verdict& v) {
  const std::string measured =
      v.metric + " " + figure(v.candidate_metric) + " on " + count(v.measured_rows) + " holdout rows";
  if (v.candidate_metric >= policy.first_goal) {
    v.decision = Decision::promote;
    v.reason = "the first model: " + measured + " reaches the first goal of " + figure(policy.first_goal);
  } else {
    v.decision = Decision::hold;
    v.reason = "no first model yet: " + measured + " is " + figure(policy.first_goal - v.candidate_metric) +
               " short of the first goal of " + figure(policy.first_goal) + "; more samples may help";
  }
}

// What is wrong with the candidate's clusters, or nothing.
std::string degenerate(const GatePolicy& policy, const CandidateFacts& candidate) {
  if (policy.metric != Metric::silhouette) return {};
  std::int64_t rows = 0, used = 0, smallest = 0;
  for (const std::int64_t size : candidate.cluster_sizes) {
    if (size <= 0) continue;
    rows += size;
    smallest = used == 0 ? size : std::min(smallest, size);
    ++used;
  }
  if (used == 0) return {};
  if (used == 1) return "all " + count(rows) + " holdout rows fall into one cluster";
  if (used == rows) return "every one of the " + count(rows) + " holdout rows is a cluster of its own";
  if (static_cast<double>(smallest) < policy.smallest_cluster * static_cast<double>(rows))
    return "its smallest cluster holds " + count(smallest) + " of " + count(rows) + " holdout rows, less than " +
           percent(policy.smallest_cluster) + ", and so few rows raise the Silhouette without meaning anything";
  return {};
}

// How many rows the holdout should have, and for which true gain: twice the margin while the holdout is too small for
// that, which does not depend on this candidate's luck; then the observed gain.
void ask_for_rows(const GatePolicy& policy, const Comparison& all, const Look& look, Verdict& v) {
  const auto rows_for = [&](double gain) -> std::optional<std::int64_t> {
    const double fresh_from = kNewHoldoutGrowth * static_cast<double>(look.first_rows);
    const auto fresh = rows_to_prove(policy, all, gain, tail_of(Look{}, policy.confidence));
    if (!fresh || static_cast<double>(*fresh) >= fresh_from) return fresh;
    const Look next{look.number + 1, look.first_rows};
    const auto again = rows_to_prove(policy, all, gain, tail_of(next, policy.confidence));
    const auto grown = static_cast<std::int64_t>(std::ceil(fresh_from));
    return again ? std::min(*again, grown) : grown;
  };
  std::vector<double> gains;
  if (policy.margin > 0) gains.push_back(2 * policy.margin);
  if (all.gain > policy.margin) gains.push_back(all.gain);
  for (const double gain : gains) {
    const auto rows = rows_for(gain);
    if (!rows || *rows <= all.rows) continue;
    v.rows_needed = rows;
    v.rows_needed_gain = gain;
    return;
  }
}

const SliceVerdict* worst_of(const std::vector<SliceVerdict>& slices) {
  const SliceVerdict* worst = nullptr;
  for (const SliceVerdict& slice : slices)
    if (slice.worse && (!worst || slice.p < worst->p)) worst = &slice;
  return worst;
}

void decide_better(const GatePolicy& policy, const std::string& measured, Verdict& v) {
  v.decision = Decision::hold;
  if (const SliceVerdict* worst = worst_of(v.slices)) {
    v.reason = "better on the whole, but on the label '" + worst->label + "' (" + count(worst->rows) +
               " rows) it loses " + figure(-worst->gain) + ", significantly more than the " +
               figure(policy.no_slice_worse_than) + " that no slice may lose: " + measured;
  } else if (v.without_twin && (v.without_twin->too_few || !(v.without_twin->gain_bounds.lower > policy.margin))) {
    v.reason = "better on the whole, but " + count(v.rows_with_twin) + " of " + count(v.measured_rows) +
               " holdout rows have a near-identical row in the training part, and on the " +
               count(v.without_twin->rows) + " others the gain of " + figure(v.without_twin->gain) +
               " is not proven (between " + figure(v.without_twin->gain_bounds.lower) + " and " +
               figure(v.without_twin->gain_bounds.upper) + "); look for samples that are stored several times: " +
               measured;
  } else {
    v.decision = Decision::promote;
    v.reason = "markedly better: " + measured + ", above the margin of " + figure(policy.margin);
  }
}

std::int64_t distinct(std::vector<std::uint32_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return std::unique(numbers.begin(), numbers.end()) - numbers.begin();
}

void decide_next(const GatePolicy& policy, const DeployedFacts& deployed, Verdict& v) {
  v.compared = true;
  const double tail = tail_of(deployed.look, policy.confidence);
  const Comparison all = compare(policy, deployed, false, tail);
  v.deployed_metric = deployed.metric;
  v.counts = all.counts;
  v.gain = all.gain;
  v.gain_bounds = all.bounds;
  v.look = deployed.look.number;
  v.look_confidence = 1 - 2 * tail;
  v.replicates = all.replicates;
  v.effective_rows = all.effective_rows;
  v.blocks = distinct(deployed.rows.block);
  if (!all.resampled()) v.mcnemar_p = metrics::mcnemar_exact_p(v.counts);
  const double twins = static_cast<double>(v.rows_with_twin) / static_cast<double>(v.measured_rows);
  if (twins > kTwinsMatter && twins <= kTwinsAreNature) {
    const Comparison others = compare(policy, deployed, true, tail);
    v.without_twin = {others.rows, others.gain, others.bounds, others.too_few()};
  }
  v.slices = judge_slices(policy, deployed);

  const std::string measured = comparison_in_words(v) + "; " + bounds_in_words(v);
  if (all.too_few()) {
    ask_for_rows(policy, all, deployed.look, v);
    v.reason = "too few " + units_in_words(v) + " tell the two models apart (" + figure(all.effective_rows) + " in effect, " +
               count(static_cast<std::int64_t>(kEffectiveRowsMin)) + " are needed): " + measured + "; " +
               rows_in_words(v);
  } else if (v.gain_bounds.lower > policy.margin) {
    decide_better(policy, measured, v);
  } else if (v.gain_bounds.upper < policy.margin) {
    v.decision = Decision::reject;
    v.reason = "not better by the margin of " + figure(policy.margin) + ": " + measured;
  } else {
    ask_for_rows(policy, all, deployed.look, v);
    v.reason = "undecided against the margin of " + figure(policy.margin) + ": " + measured + "; " + rows_in_words(v);
  }
}

}  // namespace

GatePolicy GatePolicy::from(const GateRules& rules) {
  GatePolicy policy;
  policy.metric = rules.metric;
  policy.goal = rules.goal;
  policy.first_goal = rules.first_goal;
  policy.margin = rules.margin;
  policy.confidence = rules.confidence;
  policy.no_slice_worse_than = rules.no_slice_worse_than;
  return policy;
}

std::string_view name_of(Decision decision) {
  switch (decision) {
    case Decision::promote: return "promote";
    case Decision::hold: return "hold";
    case Decision::reject: return "reject";
  }
  return "";
}

Verdict decide(const GatePolicy& policy, const std::optional<DeployedFacts>& deployed,
               const CandidateFacts& candidate) {
  Verdict v;
  v.metric = name_of(policy.metric);
  v.rows = candidate.rows;
  v.measured_rows = candidate.measured_rows;
  v.rows_with_twin = candidate.rows_with_twin;
  v.ruler = candidate.ruler;
  v.candidate_metric = candidate.metric;
  v.margin = policy.margin;
  v.confidence = policy.confidence;
  v.first = !deployed.has_value();
  const bool counted = policy.metric == Metric::accuracy;
  if (candidate.measured_rows <= 0 || (deployed && (counted ? deployed->counts.n() : deployed->rows.size()) <= 0)) {
    v.reason = "none of the " + count(candidate.rows) + " holdout rows " +
               (policy.metric == Metric::accuracy || policy.metric == Metric::f1 || policy.metric == Metric::auc
                    ? "has a label, so nothing can be measured; send labelled samples"
                    : "can be measured; send samples without missing values");
    return v;
  }
  if (const std::string problem = degenerate(policy, candidate); !problem.empty()) {
    v.decision = Decision::reject;
    v.reason = "the clustering is degenerate: " + problem;
    return v;
  }
  v.goal_met = candidate.metric >= policy.goal;
  if (deployed)
    decide_next(policy, *deployed, v);
  else
    decide_first(policy, v);
  return v;
}

std::vector<std::string> in_words(const Verdict& v) {
  std::vector<std::string> words{std::string(name_of(v.decision)) + ": " + v.reason + "."};
  words.push_back("The goal is " + std::string(v.goal_met ? "met." : "not met."));
  if (!v.ruler.empty())
    words.push_back("Measured in the feature space of the model " + v.ruler.substr(0, 12) +
                    "; that of the first release serves all models after it.");
  if (sampled(v))
    words.push_back(count(v.measured_rows) + " of " + count(v.rows) +
                    " holdout rows were measured, each against all others.");
  else if (v.rows > v.measured_rows)
    words.push_back(count(v.rows - v.measured_rows) + " of " + count(v.rows) +
                    " holdout rows have no label and were left out.");
  if (v.rows_with_twin > 0)
    words.push_back(count(v.rows_with_twin) + " of " + count(v.measured_rows) +
                    " holdout rows have a near-identical row in the training part" +
                    (v.without_twin ? "; on the others the gain is " + figure(v.without_twin->gain) + ", between " +
                                          figure(v.without_twin->gain_bounds.lower) + " and " +
                                          figure(v.without_twin->gain_bounds.upper) + "."
                                    : "."));
  if (!v.compared) return words;
  words.push_back("Look " + count(v.look) + " at this holdout: of the " + percent((1 - v.confidence) / 2) +
                  " by which a promotion may err, this look may spend " + percent((1 - v.look_confidence) / 2) + ".");
  if (v.blocks > 0)
    words.push_back("The measured rows come in " + count(v.blocks) +
                    " blocks of a device's time; the rows of a block count as one witness.");
  if (v.replicates > 0)
    words.push_back("Bounds from " + count(v.replicates) + " paired resamplings; " +
                    count(std::llround(v.effective_rows)) + " " + units_in_words(v) +
                    " in effect tell the two models apart.");
  else
    words.push_back("Right alone: candidate " + count(v.counts.only_second) + " rows, deployed " +
                    count(v.counts.only_first) + "; McNemar p = " + figure(v.mcnemar_p) + ".");
  for (const SliceVerdict& slice : v.slices)
    if (slice.worse)
      words.push_back("Label '" + slice.label + "' got worse: " + figure(slice.gain) + " on " + count(slice.rows) +
                      " rows, p = " + figure(slice.p) + ".");
  return words;
}

}  // namespace hone::cloud
