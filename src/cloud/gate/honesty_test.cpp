// Whether the gate errs as seldom as it says, over 200 simulated holdouts a setting: a candidate that is not better by
// the margin is promoted in at most 5% at confidence 0.95, however often the holdout is looked at, and one that is
// better by twice the margin in at least 90% once the holdout has the size that the gate itself asked for.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <span>

#include "cloud/gate/evaluate.hpp"
#include "cloud/gate/gate.hpp"
#include "shared/metrics/paired_gain.hpp"

namespace hone::cloud {
namespace {

constexpr int kRuns = 200;
constexpr int kPromotedMax = 10;   // 5%
constexpr int kPromotedMin = 180;  // 90%

GatePolicy policy(Metric metric, double margin) {
  GatePolicy p;
  p.metric = metric;
  p.goal = p.first_goal = 0.9;
  p.margin = margin;
  p.confidence = 0.95;
  p.no_slice_worse_than = 1;
  return p;
}

using Random = std::mt19937_64;

struct Question {
  CandidateFacts candidate;
  DeployedFacts deployed;
};

Decision answer(const GatePolicy& p, const Question& q) { return decide(p, q.deployed, q.candidate).decision; }

// ---- accuracy: on a row only the deployed model is right with probability `first`, only the candidate with `second`.

struct Rates {
  double first, second;
};

Question draw_accuracy(Rates rates, std::int64_t rows, Random& random) {
  std::uniform_real_distribution<double> uniform(0, 1);
  Question q;
  metrics::PairedCounts& counts = q.deployed.counts;
  for (std::int64_t row = 0; row < rows; ++row) {
    const double u = uniform(random);
    ++(u < rates.first                  ? counts.only_first
       : u < rates.first + rates.second ? counts.only_second
       : u < 0.9                        ? counts.both
                                        : counts.neither);
  }
  q.candidate.rows = q.candidate.measured_rows = rows;
  q.candidate.metric = static_cast<double>(counts.both + counts.only_second) / static_cast<double>(rows);
  q.deployed.look = {1, rows};
  return q;
}

// ---- score: a figure a row, hard rows hard for both; differences of mean `gain`, skewed.

Question draw_scores(double gain, std::int64_t rows, Random& random) {
  std::normal_distribution<double> normal;
  std::exponential_distribution<double> exponential;
  std::vector<double> running, candidate;
  for (std::int64_t row = 0; row < rows; ++row) {
    const double hard = normal(random);
    running.push_back(hard + 0.1 * normal(random));
    candidate.push_back(hard + gain + 0.2 * (exponential(random) - 1) + 0.1 * normal(random));
  }
  auto facts = facts_from_figures(candidate, std::span<const double>(running), {}, {});
  Question q{facts->candidate, std::move(*facts->deployed)};
  q.deployed.look = {1, rows};
  q.deployed.seed = random();
  return q;
}

// ---- f1: two labels, the second on a quarter of the rows; each model misses and alarms on rows of its own.

struct Errors {
  double missed, alarmed;
};

Question draw_f1(Errors running, Errors candidate, std::int64_t rows, Random& random) {
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<std::int64_t> labels;
  std::vector<double> first, second;
  for (std::int64_t row = 0; row < rows; ++row) {
    labels.push_back(uniform(random) < 0.25 ? 1 : 0);
    // One draw for both, so that what is hard for one is hard for the other more often than not.
    const double shared = uniform(random);
    const auto say = [&](Errors errors) {
      const double u = uniform(random) < 0.7 ? shared : uniform(random);
      const bool wrong = u < (labels.back() == 1 ? errors.missed : errors.alarmed);
      return static_cast<double>(wrong ? 1 - labels.back() : labels.back());
    };
    first.push_back(say(running));
    second.push_back(say(candidate));
  }
  auto facts = facts_from_answers(Metric::f1, second, std::span<const double>(first), labels, {"normal", "anomaly"});
  Question q{facts->candidate, std::move(*facts->deployed)};
  q.deployed.look = {1, rows};
  q.deployed.seed = random();
  return q;
}

// ---- windows of a stream: rows in blocks of `kBlockRows`, and what is hard for one model only is so for a whole block.

constexpr std::int64_t kBlockRows = 25;

struct Blocked {
  Question question, as_if_independent;
};

Blocked draw_blocks(Rates rates, std::int64_t blocks, Random& random) {
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<std::int64_t> labels;
  std::vector<double> first, second;
  std::vector<std::uint32_t> block_of;
  for (std::int64_t block = 0; block < blocks; ++block) {
    const double fate = uniform(random);
    for (std::int64_t row = 0; row < kBlockRows; ++row) {
      const double u = uniform(random) < 0.7 ? fate : uniform(random);
      const bool only_first = u < rates.first, only_second = !only_first && u < rates.first + rates.second;
      const bool both = !only_first && !only_second && uniform(random) < 0.9;
      labels.push_back(row % 2);
      first.push_back(static_cast<double>(both || only_first ? row % 2 : 1 - row % 2));
      second.push_back(static_cast<double>(both || only_second ? row % 2 : 1 - row % 2));
      block_of.push_back(static_cast<std::uint32_t>(block));
    }
  }
  const std::uint64_t seed = random();
  const auto ask = [&](const Kinship& kinship) {
    auto facts = facts_from_answers(Metric::accuracy, second, std::span<const double>(first), labels, {"a", "b"}, kinship);
    Question q{facts->candidate, std::move(*facts->deployed)};
    q.deployed.look = {1, facts->candidate.measured_rows};
    q.deployed.seed = seed;
    return q;
  };
  return {ask({{}, block_of}), ask({})};
}

// ---- silhouette: two heaps in a plane, the second of some share; the candidate knows both, the deployed model cuts the
// second in two.

std::int32_t nearest(float x, std::span<const float> centroids) {
  std::size_t best = 0;
  for (std::size_t c = 1; c < centroids.size(); ++c)
    if (std::abs(x - centroids[c]) < std::abs(x - centroids[best])) best = c;
  return static_cast<std::int32_t>(best);
}

struct Heaps {
  std::vector<float> features;  // [rows, 2]
  std::vector<std::int32_t> candidate, deployed;
};

Heaps draw_heaps(double share, std::int64_t rows, Random& random) {
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform(0, 1);
  constexpr std::array<float, 2> kTwo{-2, 2};
  constexpr std::array<float, 3> kThree{-2, 1.2F, 3};
  Heaps heaps;
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto x = static_cast<float>((uniform(random) < share ? 2 : -2) + normal(random));
    heaps.features.insert(heaps.features.end(), {x, static_cast<float>(normal(random))});
    heaps.candidate.push_back(nearest(x, kTwo));
    heaps.deployed.push_back(nearest(x, kThree));
  }
  return heaps;
}

Question ask(const Result<Facts>& facts, std::int64_t rows) {
  Question q{facts->candidate, *facts->deployed};
  q.deployed.look = {1, rows};
  q.deployed.seed = 1;
  return q;
}

Question ask(const Heaps& heaps) {
  const auto rows = static_cast<std::int64_t>(heaps.candidate.size());
  const Clusterings both{{heaps.features, rows, 2}, heaps.candidate, std::span<const std::int32_t>(heaps.deployed), {}};
  return ask(facts_from_clusters(both, rows, 1), rows);
}

// By the rows' own Silhouettes.
Question ask_rows(const Heaps& heaps) {
  const auto rows = static_cast<std::int64_t>(heaps.candidate.size());
  const metrics::Matrix<float> features{heaps.features, rows, 2};
  const auto candidate = metrics::silhouette(features, heaps.candidate), deployed = metrics::silhouette(features, heaps.deployed);
  return ask(facts_from_figures(candidate->rows, std::span<const double>(deployed->rows), {}, {}), rows);
}

// The gain that a holdout without an end would show.
double true_silhouette_gain(double share) {
  Random random(5);
  double gain = 0;
  constexpr int kDraws = 20;
  for (int i = 0; i < kDraws; ++i) {
    const Question q = ask(draw_heaps(share, 1500, random));
    gain += (q.candidate.metric - q.deployed.metric) / kDraws;
  }
  return gain;
}

template <class Draw>
int promoted(const GatePolicy& p, std::uint64_t seed, const Draw& draw) {
  Random random(seed);
  int count = 0;
  for (int run = 0; run < kRuns; ++run) count += answer(p, draw(random)) == Decision::promote ? 1 : 0;
  return count;
}

TEST(Honesty, ACandidateThatIsNoMoreAccurateIsSeldomPromoted) {
  const auto settings = std::to_array<std::tuple<Rates, double, std::int64_t>>({
      {{0.02, 0.02}, 0, 2000},         // equal, no margin
      {{0.015, 0.018}, 0.003, 2000},   // better by exactly the margin
      {{0.03, 0.08}, 0.05, 150},       // the same with few rows
      {{0.002, 0.002}, 0, 500},        // hardly a row tells them apart
      {{0.02, 0.02}, 0.003, 2000},
      {{0.03, 0.01}, 0, 2000},         // worse
  });
  std::uint64_t seed = 0;
  for (const auto& [rates, margin, rows] : settings) {
    const auto draw = [&, r = rates, n = rows](Random& random) { return draw_accuracy(r, n, random); };
    EXPECT_LE(promoted(policy(Metric::accuracy, margin), ++seed, draw), kPromotedMax) << seed;
  }
}

TEST(Honesty, ACandidateWhoseFiguresAreNoBetterIsSeldomPromoted) {
  std::uint64_t seed = 10;
  for (const auto& [gain, margin, rows] : {std::tuple{0.0, 0.0, 100}, {0.02, 0.02, 100}, {0.05, 0.05, 300}}) {
    const auto draw = [&, g = gain, n = rows](Random& random) { return draw_scores(g, n, random); };
    EXPECT_LE(promoted(policy(Metric::score, margin), ++seed, draw), kPromotedMax) << gain;
  }
}

TEST(Honesty, ACandidateWithNoBetterF1IsSeldomPromoted) {
  const auto equal = [](Random& random) { return draw_f1({0.2, 0.05}, {0.2, 0.05}, 300, random); };
  EXPECT_LE(promoted(policy(Metric::f1, 0), 21, equal), kPromotedMax);
  // F1 = 2 TP / (2 TP + FP + FN): 0.8210 against 0.7742, better by exactly the margin.
  const auto at_margin = [](Random& random) { return draw_f1({0.25, 0.0625}, {0.2, 0.05}, 300, random); };
  const auto f1_of = [](double missed, double alarmed) {
    const double tp = 0.25 * (1 - missed);
    return 2 * tp / (2 * tp + 0.25 * missed + 0.75 * alarmed);
  };
  EXPECT_LE(promoted(policy(Metric::f1, f1_of(0.2, 0.05) - f1_of(0.25, 0.0625)), 22, at_margin), kPromotedMax);
}

// Bounds from the rows' own Silhouettes err several times as often as they say: metrics::silhouette_pseudo_values.
TEST(Honesty, AClusteringThatIsBetterByTheMarginAndNoMoreIsSeldomPromoted) {
  int by_rows = 0;
  for (const double share : {0.5, 0.15}) {
    const GatePolicy p = policy(Metric::silhouette, true_silhouette_gain(share));
    Random random(61);
    int by_pseudo_values = 0;
    for (int run = 0; run < kRuns; ++run) {
      const Heaps heaps = draw_heaps(share, 300, random);
      by_pseudo_values += answer(p, ask(heaps)) == Decision::promote ? 1 : 0;
      by_rows += answer(p, ask_rows(heaps)) == Decision::promote ? 1 : 0;
    }
    EXPECT_LE(by_pseudo_values, kPromotedMax) << share;
  }
  EXPECT_GT(by_rows, 3 * kPromotedMax);
}

// Bounds that take 25 windows of one minute for 25 witnesses err several times as often as they say.
TEST(Honesty, ACandidateThatIsNoBetterOnWindowsOfAStreamIsSeldomPromoted) {
  const GatePolicy p = policy(Metric::accuracy, 0);
  Random random(25);
  int by_blocks = 0, as_if_independent = 0;
  for (int run = 0; run < kRuns; ++run) {
    const Blocked drawn = draw_blocks({0.1, 0.1}, 150, random);
    by_blocks += answer(p, drawn.question) == Decision::promote ? 1 : 0;
    as_if_independent += answer(p, drawn.as_if_independent) == Decision::promote ? 1 : 0;
  }
  EXPECT_LE(by_blocks, kPromotedMax);
  EXPECT_GT(as_if_independent, 3 * kPromotedMax);
}

// Twenty candidates that are better by exactly the margin meet one growing holdout; a run errs when any is promoted.
TEST(Honesty, ManyLooksAtOneHoldoutPromoteNoMoreOftenThanOne) {
  const GatePolicy p = policy(Metric::accuracy, 0.01);
  Random random(31);
  int erred = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::optional<Look> look;
    bool any = false;
    for (int k = 0; k < 20; ++k) {
      Question q = draw_accuracy({0.02, 0.03}, 1000 + 20 * k, random);
      q.deployed.look = *(look = next_look(look, q.candidate.measured_rows));
      any = any || answer(p, q) == Decision::promote;
    }
    EXPECT_EQ(look->number, 20);
    erred += any ? 1 : 0;
  }
  EXPECT_LE(erred, kPromotedMax);
}

TEST(Honesty, ManyLooksWithResampledBoundsToo) {
  const GatePolicy p = policy(Metric::score, 0.02);
  Random random(32);
  int erred = 0;
  for (int run = 0; run < kRuns; ++run) {
    bool any = false;
    for (std::int64_t k = 1; k <= 4; ++k) {
      Question q = draw_scores(0.02, 80, random);
      q.deployed.look = {k, 80};
      any = any || answer(p, q) == Decision::promote;
    }
    erred += any ? 1 : 0;
  }
  EXPECT_LE(erred, kPromotedMax);
}

// A first, small holdout is held and says how many rows it needs; a holdout of that size decides.
template <class Draw>
int promoted_at_the_size_asked_for(const GatePolicy& p, std::uint64_t seed, std::int64_t pilot_rows, const Draw& draw) {
  Random random(seed);
  int count = 0;
  for (int run = 0; run < kRuns; ++run) {
    const Question pilot = draw(pilot_rows, random);
    const Verdict verdict = decide(p, pilot.deployed, pilot.candidate);
    if (!verdict.rows_needed) {  // it was lucky: promoted at once
      EXPECT_EQ(verdict.decision, Decision::promote) << verdict.reason;
      ++count;
      continue;
    }
    EXPECT_EQ(verdict.decision, Decision::hold);
    Question grown = draw(*verdict.rows_needed, random);
    grown.deployed.look = next_look(pilot.deployed.look, *verdict.rows_needed);
    count += answer(p, grown) == Decision::promote ? 1 : 0;
  }
  return count;
}

TEST(Honesty, TwiceTheMarginInAccuracyIsSeenOnAsManyRowsAsTheGateAskedFor) {
  const auto draw = [](std::int64_t rows, Random& random) { return draw_accuracy({0.02, 0.06}, rows, random); };
  EXPECT_GE(promoted_at_the_size_asked_for(policy(Metric::accuracy, 0.02), 41, 300, draw), kPromotedMin);
  const auto rare = [](std::int64_t rows, Random& random) { return draw_accuracy({0.002, 0.012}, rows, random); };
  EXPECT_GE(promoted_at_the_size_asked_for(policy(Metric::accuracy, 0.005), 42, 500, rare), kPromotedMin);
}

TEST(Honesty, TwiceTheMarginInAScoreIsSeenOnAsManyRowsAsTheGateAskedFor) {
  const auto draw = [](std::int64_t rows, Random& random) { return draw_scores(0.12, rows, random); };
  EXPECT_GE(promoted_at_the_size_asked_for(policy(Metric::score, 0.06), 43, 80, draw), kPromotedMin);
}

TEST(Honesty, TwiceTheMarginOnWindowsOfAStreamIsSeenOnAsManyRowsAsTheGateAskedFor) {
  const auto draw = [](std::int64_t rows, Random& random) {
    return draw_blocks({0.1, 0.18}, (rows + kBlockRows - 1) / kBlockRows, random).question;
  };
  EXPECT_GE(promoted_at_the_size_asked_for(policy(Metric::accuracy, 0.04), 44, 2500, draw), kPromotedMin);
}

}  // namespace
}  // namespace hone::cloud
