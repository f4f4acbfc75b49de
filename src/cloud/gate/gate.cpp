#include "cloud/gate/gate.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

namespace hone::cloud {
namespace {

// "0.9885": four digits, because a holdout seldom has more rows than that can tell apart.
std::string figure(double value) {
  std::array<char, 48> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.4f", value == 0 ? 0.0 : value);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string percent(double share) {
  std::array<char, 48> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.6g%%", share * 100);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string name_of_metric(Metric metric) {
  switch (metric) {
    case Metric::accuracy: return "accuracy";
    case Metric::silhouette: return "silhouette";
  }
  return "metric";
}

// "accuracy 0.9885 against 0.9712 on 4198 holdout rows (85 only the candidate got right, 12 only the
// deployed model)"
std::string comparison(const Verdict& v) {
  return v.metric + " " + figure(v.candidate_metric) + " against " + figure(v.deployed_metric) + " on " +
         std::to_string(v.labelled_rows) + " holdout rows (" + std::to_string(v.counts.only_second) +
         " only the candidate got right, " + std::to_string(v.counts.only_first) + " only the deployed model)";
}

std::string bounds(const Verdict& v) {
  return "with " + percent(v.confidence) + " confidence the gain of " + figure(v.gain) + " lies between " +
         figure(v.gain_bounds.lower) + " and " + figure(v.gain_bounds.upper);
}

std::string rows_hint(const Verdict& v) {
  if (!v.rows_needed) return "the observed gain is not above the margin, so more rows alone are unlikely to decide it";
  return "about " + std::to_string(*v.rows_needed) +
         " labelled holdout rows would decide it if the rates stay what they are";
}

void decide_first(const GatePolicy& policy, Verdict& v) {
  v.first = true;
  const std::string measured =
      v.metric + " " + figure(v.candidate_metric) + " on " + std::to_string(v.labelled_rows) + " holdout rows";
  if (v.candidate_metric >= policy.first_goal) {
    v.decision = Decision::promote;
    v.reason = "the first model: " + measured + " reaches the first goal of " + figure(policy.first_goal);
  } else {
    v.decision = Decision::hold;
    v.reason = "no first model yet: " + measured + " is " + figure(policy.first_goal - v.candidate_metric) +
               " short of the first goal of " + figure(policy.first_goal) + "; more samples may help";
  }
}

void judge_slices(const GatePolicy& policy, const DeployedFacts& deployed, Verdict& v) {
  for (const SliceFacts& facts : deployed.slices) {
    if (facts.counts.n() <= 0) continue;
    SliceVerdict slice{facts.label, facts.counts, metrics::tango_interval(facts.counts, policy.confidence), false};
    slice.worse = slice.gain.upper < -policy.no_slice_worse_than;
    v.slices.push_back(std::move(slice));
  }
}

const SliceVerdict* worst_of(const std::vector<SliceVerdict>& slices) {
  const SliceVerdict* worst = nullptr;
  for (const SliceVerdict& slice : slices)
    if (slice.worse && (!worst || slice.gain.upper < worst->gain.upper)) worst = &slice;
  return worst;
}

}  // namespace

GatePolicy GatePolicy::from(const GateRules& rules) {
  return {rules.metric, rules.goal, rules.first_goal, rules.margin, rules.confidence, rules.no_slice_worse_than};
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
  v.metric = name_of_metric(policy.metric);
  v.rows = candidate.rows;
  v.labelled_rows = candidate.labelled_rows;
  v.candidate_metric = candidate.metric;
  v.margin = policy.margin;
  v.confidence = policy.confidence;
  v.first = !deployed.has_value();
  if (candidate.labelled_rows <= 0 || (deployed && deployed->counts.n() <= 0)) {
    v.reason = "none of the " + std::to_string(candidate.rows) +
               " holdout rows has a label, so nothing can be measured; send labelled samples";
    return v;
  }
  v.goal_met = candidate.metric >= policy.goal;
  if (!deployed) {
    decide_first(policy, v);
    return v;
  }

  const auto n = static_cast<double>(deployed->counts.n());
  v.deployed_metric = deployed->metric;
  v.counts = deployed->counts;
  v.gain = static_cast<double>(v.counts.only_second - v.counts.only_first) / n;
  v.gain_bounds = metrics::tango_interval(v.counts, policy.confidence);
  v.mcnemar_p = metrics::mcnemar_exact_p(v.counts);
  v.rows_needed = metrics::rows_for_lower_bound_above(policy.margin, v.counts, policy.confidence);
  judge_slices(policy, *deployed, v);

  const std::string measured = comparison(v) + "; " + bounds(v);
  if (v.gain_bounds.lower > policy.margin) {
    const SliceVerdict* worst = worst_of(v.slices);
    v.decision = worst ? Decision::hold : Decision::promote;
    v.reason = worst ? "better on the whole, but on the label '" + worst->label + "' (" +
                           std::to_string(worst->counts.n()) + " rows) it loses at least " +
                           figure(-worst->gain.upper) + ", more than the " + figure(policy.no_slice_worse_than) +
                           " that no slice may lose: " + measured
                     : "markedly better: " + measured + ", above the margin of " + figure(policy.margin);
  } else if (v.gain_bounds.upper < policy.margin) {
    v.decision = Decision::reject;
    v.reason = "not better by the margin of " + figure(policy.margin) + ": " + measured;
  } else {
    v.decision = Decision::hold;
    v.reason = "undecided against the margin of " + figure(policy.margin) + ": " + measured + "; " + rows_hint(v);
  }
  return v;
}

}  // namespace hone::cloud
