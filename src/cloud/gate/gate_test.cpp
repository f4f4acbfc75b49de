#include "cloud/gate/gate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace hone::cloud {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

GatePolicy policy() {
  GatePolicy p;
  p.goal = 0.985;
  p.first_goal = 0.95;
  p.margin = 0.003;
  p.confidence = 0.95;
  p.no_slice_worse_than = 0.01;
  return p;
}

CandidateFacts candidate(const metrics::PairedCounts& counts) {
  return {counts.n(), counts.n(),
          static_cast<double>(counts.both + counts.only_second) / static_cast<double>(counts.n())};
}

DeployedFacts deployed(const metrics::PairedCounts& counts, std::vector<SliceFacts> slices = {}) {
  return {static_cast<double>(counts.both + counts.only_first) / static_cast<double>(counts.n()), counts,
          std::move(slices)};
}

Verdict judge(const metrics::PairedCounts& counts, std::vector<SliceFacts> slices = {}) {
  return decide(policy(), deployed(counts, std::move(slices)), candidate(counts));
}

TEST(Gate, FirstModelIsPromotedAtTheFirstGoal) {
  const Verdict v = decide(policy(), std::nullopt, {600, 600, 0.95});
  EXPECT_EQ(v.decision, Decision::promote);
  EXPECT_TRUE(v.first);
  EXPECT_FALSE(v.goal_met);
  EXPECT_TRUE(decide(policy(), std::nullopt, {600, 600, 0.985}).goal_met);
}

TEST(Gate, FirstModelBelowTheFirstGoalIsHeldAndSaysHowFar) {
  const Verdict v = decide(policy(), std::nullopt, {600, 600, 0.94});
  EXPECT_EQ(v.decision, Decision::hold);
  EXPECT_THAT(v.reason, HasSubstr("accuracy 0.9400 on 600 holdout rows is 0.0100 short of the first goal of 0.9500"));
}

TEST(Gate, PromotesWhenTheLowerBoundExceedsTheMargin) {
  const Verdict v = judge({.both = 4030, .only_first = 12, .only_second = 85, .neither = 73});
  EXPECT_EQ(v.decision, Decision::promote);
  EXPECT_GT(v.gain_bounds.lower, 0.003);
  EXPECT_LT(v.mcnemar_p, 1e-10);
  EXPECT_NEAR(v.gain, 73.0 / 4200, 1e-12);
  EXPECT_THAT(v.reason,
              StartsWith("markedly better: accuracy 0.9798 against 0.9624 on 4200 holdout rows (85 only the candidate "
                         "got right, 12 only the deployed model)"));
  EXPECT_FALSE(v.goal_met);
}

TEST(Gate, HoldsWhatIsBetterButNotProvenAndSaysHowManyRowsItWouldTake) {
  const metrics::PairedCounts counts{.both = 570, .only_first = 4, .only_second = 12, .neither = 14};
  const Verdict v = judge(counts);
  EXPECT_EQ(v.decision, Decision::hold);
  ASSERT_TRUE(v.rows_needed);
  EXPECT_GT(*v.rows_needed, 600);
  EXPECT_THAT(v.reason, HasSubstr("about " + std::to_string(*v.rows_needed) + " labelled holdout rows"));
  // With that many rows at the same rates, it is promoted; with far fewer, it is not.
  const auto scaled = [&](double factor) {
    const auto by = [&](std::int64_t k) { return static_cast<std::int64_t>(static_cast<double>(k) * factor + 0.5); };
    return metrics::PairedCounts{by(counts.both), by(counts.only_first), by(counts.only_second), by(counts.neither)};
  };
  const double factor = static_cast<double>(*v.rows_needed) / 600;
  EXPECT_EQ(judge(scaled(factor * 1.1)).decision, Decision::promote);
  EXPECT_EQ(judge(scaled(factor * 0.9)).decision, Decision::hold);
}

TEST(Gate, HoldsWithoutARowCountWhenTheGainIsBelowTheMargin) {
  const Verdict v = judge({.both = 590, .only_first = 4, .only_second = 5, .neither = 1});
  EXPECT_EQ(v.decision, Decision::hold);
  EXPECT_FALSE(v.rows_needed);
  EXPECT_THAT(v.reason, HasSubstr("more rows alone are unlikely"));
}

TEST(Gate, RejectsWhatIsSignificantlyNotBetterByTheMargin) {
  const Verdict v = judge({.both = 4000, .only_first = 60, .only_second = 20, .neither = 120});
  EXPECT_EQ(v.decision, Decision::reject);
  EXPECT_LT(v.gain_bounds.upper, 0.003);
  EXPECT_THAT(v.reason, StartsWith("not better by the margin of 0.0030"));
}

TEST(Gate, TheSameModelAgainIsNeverPromoted) {
  for (const std::int64_t n : {10, 1000, 100000}) {
    const Verdict v = judge({.both = n});
    EXPECT_NE(v.decision, Decision::promote);
    EXPECT_EQ(v.mcnemar_p, 1);
  }
}

TEST(Gate, ALabelThatGotSignificantlyWorseHoldsABetterModel) {
  const metrics::PairedCounts counts{.both = 4000, .only_first = 40, .only_second = 200, .neither = 60};
  const std::vector<SliceFacts> slices{{"3", {.both = 400, .only_second = 20}},
                                       {"7", {.both = 360, .only_first = 40, .only_second = 2}}};
  const Verdict v = judge(counts, slices);
  EXPECT_EQ(v.decision, Decision::hold);
  EXPECT_THAT(v.reason, HasSubstr("on the label '7' (402 rows)"));
  ASSERT_EQ(v.slices.size(), 2u);
  EXPECT_FALSE(v.slices[0].worse);
  EXPECT_TRUE(v.slices[1].worse);

  GatePolicy tolerant = policy();
  tolerant.no_slice_worse_than = 0.2;
  EXPECT_EQ(decide(tolerant, deployed(counts, slices), candidate(counts)).decision, Decision::promote);
}

TEST(Gate, ALabelWithFewRowsDoesNotHoldByChance) {
  const metrics::PairedCounts counts{.both = 4000, .only_first = 40, .only_second = 200, .neither = 60};
  const Verdict v = judge(counts, {{"rare", {.both = 8, .only_first = 1}}});
  EXPECT_EQ(v.decision, Decision::promote);
}

TEST(Gate, GoalIsMetByTheCandidateOnTheHoldout) {
  metrics::PairedCounts counts{.both = 9700, .only_first = 10, .only_second = 150, .neither = 140};
  EXPECT_TRUE(judge(counts).goal_met);  // 0.985
  counts = {.both = 9699, .only_first = 10, .only_second = 150, .neither = 141};
  EXPECT_FALSE(judge(counts).goal_met);
}

TEST(Gate, HoldsWhenNothingCanBeMeasured) {
  const Verdict v = decide(policy(), std::nullopt, {50, 0, 0});
  EXPECT_EQ(v.decision, Decision::hold);
  EXPECT_FALSE(v.goal_met);
  EXPECT_THAT(v.reason, HasSubstr("none of the 50 holdout rows has a label"));
  EXPECT_EQ(decide(policy(), DeployedFacts{}, {0, 0, 0}).decision, Decision::hold);
}

TEST(Gate, AStoredVerdictReplaysToTheSameAnswer) {
  const std::vector<SliceFacts> slices{{"0", {.both = 300, .only_second = 20}}, {"1", {.both = 300, .only_first = 33}}};
  std::vector<std::pair<std::optional<DeployedFacts>, CandidateFacts>> questions{
      {std::nullopt, {600, 590, 0.97}}, {std::nullopt, {600, 590, 0.90}}, {std::nullopt, {10, 0, 0}}};
  for (const metrics::PairedCounts& counts : {metrics::PairedCounts{4030, 12, 85, 73},
                                              {570, 4, 12, 14},
                                              {590, 4, 5, 1},
                                              {4000, 60, 20, 120},
                                              {4000, 40, 200, 60}})
    questions.emplace_back(deployed(counts, slices), candidate(counts));
  for (const auto& [running, facts] : questions) {
    const GateRecord record{policy(), running, facts, decide(policy(), running, facts)};
    const Bytes stored = dump_bytes(to_json(record));
    const auto back = gate_record_from(parse_json(stored).value());
    ASSERT_TRUE(back) << back.error().context;
    const Verdict again = decide(back->policy, back->deployed, back->candidate);
    EXPECT_EQ(to_json(again), to_json(record.verdict));
    EXPECT_EQ(dump_bytes(to_json(GateRecord{back->policy, back->deployed, back->candidate, back->verdict})), stored);
  }
}

TEST(Gate, ReadersRefuseABrokenRecord) {
  const metrics::PairedCounts counts{4030, 12, 85, 73};
  const Json good = to_json(GateRecord{policy(), deployed(counts), candidate(counts), judge(counts)});
  Json json = good;
  json["verdict"]["decision"] = "maybe";
  EXPECT_FALSE(gate_record_from(json));
  json = good;
  json["deployed"]["counts"]["both"] = -1;
  EXPECT_FALSE(gate_record_from(json));
  json = good;
  json["policy"]["confidence"] = 1;
  EXPECT_FALSE(gate_record_from(json));
  json = good;
  json.erase("candidate");
  EXPECT_FALSE(gate_record_from(json));
  EXPECT_FALSE(gate_record_from(Json::array()));
}

// Draws a holdout on which only the deployed model is right with probability `first`, only the candidate
// with `second`, and counts how often of `runs` the candidate is promoted.
int promoted(double first, double second, double margin, int rows, int runs, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  GatePolicy p = policy();
  p.margin = margin;
  int count = 0;
  for (int run = 0; run < runs; ++run) {
    metrics::PairedCounts counts;
    for (int row = 0; row < rows; ++row) {
      const double u = uniform(random);
      ++(u < first ? counts.only_first : u < first + second ? counts.only_second : counts.both);
    }
    if (decide(p, deployed(counts), candidate(counts)).decision == Decision::promote) ++count;
  }
  return count;
}

TEST(Gate, ACandidateThatIsNotBetterIsPromotedInAtMostOneOfTwentyRuns) {
  EXPECT_LE(promoted(0.02, 0.02, 0, 2000, 200, 1), 10);        // equal, no margin: the hardest case
  EXPECT_LE(promoted(0.015, 0.018, 0.003, 2000, 200, 2), 10);  // better by exactly the margin
  EXPECT_LE(promoted(0.02, 0.02, 0.003, 2000, 200, 3), 10);
  EXPECT_LE(promoted(0.002, 0.002, 0, 500, 200, 4), 10);  // few discordant rows
  EXPECT_LE(promoted(0.03, 0.01, 0, 2000, 200, 5), 0);    // worse
}

TEST(Gate, ACandidateThatIsMarkedlyBetterIsPromotedAlmostAlways) {
  EXPECT_GE(promoted(0.005, 0.025, 0.003, 4000, 200, 6), 195);
}

}  // namespace
}  // namespace hone::cloud
