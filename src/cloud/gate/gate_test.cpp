#include "cloud/gate/gate.hpp"

#include "cloud/gate/evaluate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace hone::cloud {
namespace {

using ::testing::Contains;
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
  CandidateFacts facts;
  facts.rows = facts.measured_rows = counts.n();
  facts.metric = static_cast<double>(counts.both + counts.only_second) / static_cast<double>(counts.n());
  return facts;
}

DeployedFacts deployed(const metrics::PairedCounts& counts, std::vector<SliceFacts> slices = {}) {
  DeployedFacts facts;
  facts.metric = static_cast<double>(counts.both + counts.only_first) / static_cast<double>(counts.n());
  facts.counts = counts;
  facts.slices = std::move(slices);
  facts.look = {1, counts.n()};
  return facts;
}

CandidateFacts first(std::int64_t rows, std::int64_t measured, double metric) {
  CandidateFacts facts;
  facts.rows = rows;
  facts.measured_rows = measured;
  facts.metric = metric;
  return facts;
}

Verdict judge(const metrics::PairedCounts& counts, std::vector<SliceFacts> slices = {}) {
  return decide(policy(), deployed(counts, std::move(slices)), candidate(counts));
}

TEST(Gate, FirstModelIsPromotedAtTheFirstGoal) {
  const Verdict v = decide(policy(), std::nullopt, first(600, 600, 0.95));
  EXPECT_EQ(v.decision, Decision::promote);
  EXPECT_TRUE(v.first);
  EXPECT_FALSE(v.goal_met);
  EXPECT_TRUE(decide(policy(), std::nullopt, first(600, 600, 0.985)).goal_met);
}

TEST(Gate, FirstModelBelowTheFirstGoalIsHeldAndSaysHowFar) {
  const Verdict v = decide(policy(), std::nullopt, first(600, 600, 0.94));
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
  const Verdict v = judge({.both = 570, .only_first = 4, .only_second = 12, .neither = 14});
  EXPECT_EQ(v.decision, Decision::hold);
  ASSERT_TRUE(v.rows_needed);
  EXPECT_GT(*v.rows_needed, 600);
  EXPECT_DOUBLE_EQ(v.rows_needed_gain, 0.006);  // twice the margin, whatever this candidate's luck
  EXPECT_THAT(v.reason, HasSubstr("about " + std::to_string(*v.rows_needed) + " measured holdout rows"));
  const Verdict unlucky = judge({.both = 590, .only_first = 4, .only_second = 5, .neither = 1});
  EXPECT_EQ(unlucky.decision, Decision::hold);
  EXPECT_DOUBLE_EQ(unlucky.rows_needed_gain, 0.006);
}

TEST(Gate, AsksForTheObservedGainWhenTheHoldoutWouldShowTwiceTheMargin) {
  // Large enough for 0.006, and the observed gain is 0.004.
  const Verdict v = judge({.both = 78'600, .only_first = 540, .only_second = 860, .neither = 0});
  EXPECT_EQ(v.decision, Decision::hold);
  ASSERT_TRUE(v.rows_needed);
  EXPECT_DOUBLE_EQ(v.rows_needed_gain, 0.004);
  EXPECT_GT(*v.rows_needed, 80'000);
}

TEST(Gate, HoldsWithoutARowCountWhenALargeHoldoutShowsLessThanTheMargin) {
  const Verdict v = judge({.both = 78'600, .only_first = 594, .only_second = 806, .neither = 0});
  EXPECT_EQ(v.decision, Decision::hold);
  EXPECT_FALSE(v.rows_needed);
  EXPECT_THAT(v.reason, HasSubstr("more rows alone are unlikely"));
}

TEST(Gate, LaterLooksAtTheSameHoldoutAskForMore) {
  const metrics::PairedCounts counts{.both = 4000, .only_first = 20, .only_second = 60, .neither = 120};
  DeployedFacts facts = deployed(counts);
  const Verdict once = decide(policy(), facts, candidate(counts));
  EXPECT_EQ(once.decision, Decision::promote);
  EXPECT_DOUBLE_EQ(once.look_confidence, 0.975);
  facts.look = {12, counts.n()};
  const Verdict often = decide(policy(), facts, candidate(counts));
  EXPECT_EQ(often.decision, Decision::hold);
  EXPECT_THAT(often.reason, HasSubstr("(look 12 at this holdout)"));
  EXPECT_LT(often.gain_bounds.lower, once.gain_bounds.lower);
}

TEST(Gate, TwentySlicesDoNotHoldByChanceWhatOneWould) {
  const metrics::PairedCounts counts{.both = 4000, .only_first = 40, .only_second = 200, .neither = 60};
  GatePolicy strict = policy();
  strict.no_slice_worse_than = 0;
  const SliceFacts lucky{"unlucky", {.both = 190, .only_first = 7, .only_second = 0, .neither = 3}};  // p about 0.004
  std::vector<SliceFacts> slices{lucky};
  EXPECT_EQ(decide(strict, deployed(counts, slices), candidate(counts)).decision, Decision::hold);
  for (int i = 0; i < 19; ++i) slices.push_back({std::to_string(i), {.both = 200, .only_second = 1}});
  const Verdict v = decide(strict, deployed(counts, slices), candidate(counts));
  EXPECT_EQ(v.decision, Decision::promote) << v.reason << " p=" << v.slices[0].p;
}

TEST(Gate, AGainThatRestsOnTwinsOfTrainingRowsIsHeld) {
  const metrics::PairedCounts counts{.both = 4000, .only_first = 20, .only_second = 100, .neither = 80};
  DeployedFacts facts = deployed(counts);
  CandidateFacts second = candidate(counts);
  second.rows_with_twin = 400;
  facts.counts_without_twin = {.both = 3690, .only_first = 20, .only_second = 20, .neither = 70};
  const Verdict v = decide(policy(), facts, second);
  EXPECT_EQ(v.decision, Decision::hold);
  EXPECT_THAT(v.reason, HasSubstr("400 of 4200 holdout rows have a near-identical row in the training part"));
  ASSERT_TRUE(v.without_twin);
  EXPECT_EQ(v.without_twin->rows, 3800);
  facts.counts_without_twin = {.both = 3620, .only_first = 15, .only_second = 90, .neither = 75};
  EXPECT_EQ(decide(policy(), facts, second).decision, Decision::promote);
  second.rows_with_twin = 30;  // too few to matter
  facts.counts_without_twin = {};
  EXPECT_EQ(decide(policy(), facts, second).decision, Decision::promote);
  second.rows_with_twin = 4000;  // the nature of the signal
  EXPECT_EQ(decide(policy(), facts, second).decision, Decision::promote);
}

// Of the rows without a twin fifteen tell the two models apart, which proves nothing, whatever their bounds say.
TEST(Gate, TooFewRowsWithoutATwinProveNothing) {
  std::vector<double> running(1000), better(1000);
  std::vector<std::uint8_t> twins(1000);
  std::mt19937_64 random(3);
  std::normal_distribution<double> noise(0, 0.2);
  for (std::size_t row = 0; row < 1000; ++row) {
    twins[row] = row < 490 ? 1 : 0;
    better[row] = row < 490 ? 0.1 + noise(random) : row < 505 ? 1 : 0;
  }
  GatePolicy p = policy();
  p.metric = Metric::score;
  const auto decided = [&] {
    const auto facts = facts_from_figures(better, std::span<const double>(running), {}, {}, {twins, {}});
    DeployedFacts both = *facts->deployed;
    both.look = {1, 1000};
    return decide(p, both, facts->candidate);
  };
  const Verdict v = decided();
  EXPECT_EQ(v.decision, Decision::hold) << v.reason;
  ASSERT_TRUE(v.without_twin);
  EXPECT_TRUE(v.without_twin->too_few);
  EXPECT_GT(v.without_twin->gain_bounds.lower, p.margin);
  twins.assign(1000, 0);
  EXPECT_EQ(decided().decision, Decision::promote);
}

GatePolicy clusters() {
  GatePolicy p;
  p.metric = Metric::silhouette;
  p.goal = 0.5;
  p.first_goal = 0.4;
  p.margin = 0.01;
  return p;
}

TEST(Gate, RefusesADegenerateClusteringWhateverItsScore) {
  CandidateFacts facts = first(2000, 2000, 0.99);
  facts.cluster_sizes = {1995, 5};
  const Verdict v = decide(clusters(), std::nullopt, facts);
  EXPECT_EQ(v.decision, Decision::reject);
  EXPECT_FALSE(v.goal_met);
  EXPECT_THAT(v.reason, HasSubstr("its smallest cluster holds 5 of 2000 holdout rows"));
  facts.cluster_sizes = {2000, 0};
  EXPECT_THAT(decide(clusters(), std::nullopt, facts).reason, HasSubstr("into one cluster"));
  facts.cluster_sizes = {1900, 0, 100};
  EXPECT_EQ(decide(clusters(), std::nullopt, facts).decision, Decision::promote);
}

TEST(Gate, FewRowsThatDifferAreNotResampled) {
  GatePolicy p = clusters();
  p.metric = Metric::score;
  p.margin = 0;
  DeployedFacts facts;
  facts.look = {1, 500};
  for (int row = 0; row < 500; ++row) {
    facts.rows.label.push_back(-1);
    facts.rows.twin.push_back(0);
    facts.rows.deployed.push_back(0.5);
    facts.rows.candidate.push_back(row < 8 ? 0.9 : 0.5);
  }
  const Verdict v = decide(p, facts, first(500, 500, 0.5064));
  EXPECT_EQ(v.decision, Decision::hold);
  EXPECT_THAT(v.reason, HasSubstr("too few rows tell the two models apart"));
  ASSERT_TRUE(v.rows_needed);
  EXPECT_GT(*v.rows_needed, 1500);
}

// Rows of a metric with figures of their own: `gain` on average, 0.3 around it, and labels 0 and 1.
DeployedFacts figures(std::size_t rows, double gain, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  DeployedFacts facts;
  facts.slices = {{"a", {}}, {"b", {}}};
  facts.look = {1, static_cast<std::int64_t>(rows)};
  facts.seed = seed;
  for (std::size_t row = 0; row < rows; ++row) {
    facts.rows.label.push_back(static_cast<std::int32_t>(row % 2));
    facts.rows.twin.push_back(0);
    facts.rows.deployed.push_back(normal(random));
    facts.rows.candidate.push_back(facts.rows.deployed.back() + gain + 0.3 * normal(random));
  }
  return facts;
}

TEST(Gate, ResamplesPairedRowsForOtherMetrics) {
  GatePolicy p = clusters();
  p.metric = Metric::score;
  const Verdict better = decide(p, figures(400, 0.1, 1), first(400, 400, 0.6));
  EXPECT_EQ(better.decision, Decision::promote) << better.reason;
  EXPECT_GE(better.replicates, 2000);
  EXPECT_NEAR(better.gain_bounds.upper - better.gain_bounds.lower, 2 * 2.24 * 0.3 / 20, 0.02);
  EXPECT_EQ(decide(p, figures(400, -0.1, 2), first(400, 400, 0.6)).decision, Decision::reject);
  EXPECT_EQ(decide(p, figures(400, 0.01, 3), first(400, 400, 0.6)).decision, Decision::hold);
  DeployedFacts uneven = figures(400, 0.5, 4);
  for (std::size_t row = 1; row < 400; row += 2) uneven.rows.candidate[row] -= 0.7;
  const Verdict held = decide(p, uneven, first(400, 400, 0.6));
  EXPECT_EQ(held.decision, Decision::hold);
  EXPECT_THAT(held.reason, HasSubstr("on the label 'b'"));
}

// The same 400 right and wrong answers, once as 400 witnesses and once as 20 of 20 rows each.
TEST(Gate, RowsOfOneBlockCountAsOneWitness) {
  std::vector<std::int64_t> labels(400, 0);
  std::vector<double> running, candidate;
  std::vector<std::uint32_t> blocks;
  for (std::uint32_t row = 0; row < 400; ++row) {
    const std::uint32_t block = row / 20;
    blocks.push_back(block);
    running.push_back(block < 6 ? 1 : 0);                    // wrong on six blocks
    candidate.push_back(block >= 6 && block < 8 ? 1 : 0);    // wrong on two others
  }
  GatePolicy p = policy();
  p.margin = 0;
  const auto ask = [&](const Kinship& kinship) {
    auto facts = facts_from_answers(Metric::accuracy, candidate, std::span<const double>(running), labels, {"a", "b"}, kinship);
    facts->deployed->look = {1, 400};
    return std::pair(*facts->deployed, facts->candidate);
  };
  const auto [alone, same] = ask({});
  EXPECT_EQ(decide(p, alone, same).decision, Decision::promote);
  EXPECT_EQ(alone.rows.size(), 0);

  const auto [together, facts] = ask({{}, blocks});
  const Verdict v = decide(p, together, facts);
  EXPECT_EQ(v.decision, Decision::hold) << v.reason;
  EXPECT_EQ(v.blocks, 20);
  EXPECT_LE(v.effective_rows, 20);
  EXPECT_GT(v.replicates, 0);
  EXPECT_DOUBLE_EQ(v.gain, 0.2);
  EXPECT_THAT(v.reason, StartsWith("too few blocks of time tell the two models apart"));
  EXPECT_THAT(in_words(v), Contains(HasSubstr("come in 20 blocks of a device's time")));

  const GateRecord record{p, together, facts, v};
  const auto back = gate_record_from(parse_json(dump_bytes(to_json(record))).value(), rows_to_npy(together.rows));
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_EQ(to_json(decide(back->policy, back->deployed, back->candidate)), to_json(v));
}

// A label is lost on 25 rows of one minute: bad luck of one minute, and no regression of 25 rows.
TEST(Gate, ALabelThatIsLostInOneBlockIsNoRegression) {
  DeployedFacts facts = figures(2000, 0.2, 5);
  for (std::size_t row = 0; row < 2000; ++row) {
    facts.rows.label[row] = row < 1900 ? 0 : 1;
    if (row >= 1975) facts.rows.candidate[row] -= 5;
    facts.rows.block.push_back(static_cast<std::uint32_t>(row / 25));
  }
  GatePolicy p = policy();
  p.metric = Metric::score;
  p.no_slice_worse_than = 0;
  const Verdict blocks = decide(p, facts, first(2000, 2000, 0.6));
  ASSERT_EQ(blocks.slices.size(), 2u);
  EXPECT_LT(blocks.slices[1].gain, -0.5);
  EXPECT_FALSE(blocks.slices[1].worse);
  facts.rows.block.clear();
  EXPECT_TRUE(decide(p, facts, first(2000, 2000, 0.6)).slices[1].worse);
}

TEST(Gate, SpeaksInSentences) {
  const auto words = in_words(judge({.both = 4030, .only_first = 12, .only_second = 85, .neither = 73}));
  ASSERT_GE(words.size(), 4u);
  EXPECT_THAT(words[0], StartsWith("promote: markedly better"));
  EXPECT_EQ(words[1], "The goal is not met.");
  EXPECT_THAT(words[2], HasSubstr("Look 1 at this holdout: of the 2.5%"));
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
  const Verdict v = decide(policy(), std::nullopt, first(50, 0, 0));
  EXPECT_EQ(v.decision, Decision::hold);
  EXPECT_FALSE(v.goal_met);
  EXPECT_THAT(v.reason, HasSubstr("none of the 50 holdout rows has a label"));
  EXPECT_EQ(decide(policy(), DeployedFacts{}, first(0, 0, 0)).decision, Decision::hold);
}

TEST(Gate, AStoredVerdictReplaysToTheSameAnswer) {
  const std::vector<SliceFacts> slices{{"0", {.both = 300, .only_second = 20}}, {"1", {.both = 300, .only_first = 33}}};
  std::vector<std::pair<std::optional<DeployedFacts>, CandidateFacts>> questions{
      {std::nullopt, first(600, 590, 0.97)}, {std::nullopt, first(600, 590, 0.90)}, {std::nullopt, first(10, 0, 0)}};
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

TEST(Gate, AVerdictOnSingleRowsReplaysFromTheRowsThatItNames) {
  GatePolicy p = clusters();
  p.metric = Metric::score;
  DeployedFacts facts = figures(300, 0.05, 9);
  facts.seed = 0xfedcba9876543210;
  facts.look = {2, 250};
  const GateRecord record{p, facts, first(300, 300, 0.6), decide(p, facts, first(300, 300, 0.6))};
  const Bytes stored = dump_bytes(to_json(record));
  const Bytes npy = rows_to_npy(facts.rows);
  const auto back = gate_record_from(parse_json(stored).value(), npy);
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_EQ(to_json(decide(back->policy, back->deployed, back->candidate)), to_json(record.verdict));
  EXPECT_THAT(gate_record_from(parse_json(stored).value()).error().context, HasSubstr("which are in the blob"));
  Bytes altered = npy;
  altered.back() ^= 1;
  EXPECT_EQ(gate_record_from(parse_json(stored).value(), altered).error().code, Code::damaged);
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

}  // namespace
}  // namespace hone::cloud
