// Steps on a lattice: the addition is the hardware's, and tensors on a lattice or with a low-rank update
// are found, coded small and rebuilt.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "shared/delta/apply.hpp"
#include "shared/delta/encode/encode.hpp"
#include "shared/delta/encode/hints_file.hpp"
#include "shared/delta/format/float_add.hpp"
#include "shared/delta/inspect.hpp"

namespace hone::delta {
namespace {

std::uint32_t hardware(std::uint32_t a, std::int32_t k, std::int32_t s) {
  volatile float step = std::ldexp(static_cast<float>(k), -s);  // exact within the limits
  volatile float sum = std::bit_cast<float>(a) + step;
  return std::bit_cast<std::uint32_t>(static_cast<float>(sum));
}

TEST(FloatAdd, IsTheHardwaresForRandomValues) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 4'000'000; ++i) {
    const auto a = static_cast<std::uint32_t>(random());
    auto k = static_cast<std::int32_t>(random() >> 40 >> random() % 24);
    if (k == 0) k = 1;
    if (random() % 2 == 0) k = -k;
    // Half of them where the two are of like size, so that cancellation and ties happen.
    const auto exponent = static_cast<std::int32_t>(a >> 23 & 255) - 150;
    std::int32_t s = random() % 2 == 0 ? kScaleMin + static_cast<std::int32_t>(random() % (kScaleMax - kScaleMin + 1))
                                       : -exponent + static_cast<std::int32_t>(random() % 54) - 27;
    s = std::clamp(s, kScaleMin, kScaleMax);
    if (!is_finite_f32(a)) continue;
    ASSERT_EQ(add_steps_f32(a, k, s), hardware(a, k, s)) << std::hex << a << " " << std::dec << k << " " << s;
  }
}

TEST(FloatAdd, IsTheHardwaresForEveryPairOfEdges) {
  std::vector<std::uint32_t> values;
  for (std::uint32_t exponent = 0; exponent < 255; ++exponent)
    for (const std::uint32_t mantissa : {0u, 1u, 2u, 0x3FFFFFu, 0x400000u, 0x400001u, 0x7FFFFEu, 0x7FFFFFu})
      for (const std::uint32_t sign : {0u, 0x80000000u}) values.push_back(sign | exponent << 23 | mantissa);
  for (const std::uint32_t a : values)
    for (std::int32_t s = kScaleMin; s <= kScaleMax; ++s)
      for (const std::int32_t k : {1, 2, 3, 0x7FFFFF, 0x800000, 0x800001, kStepsMax - 1, kStepsMax}) {
        ASSERT_EQ(add_steps_f32(a, k, s), hardware(a, k, s)) << std::hex << a << " " << std::dec << k << " " << s;
        ASSERT_EQ(add_steps_f32(a, -k, s), hardware(a, -k, s)) << std::hex << a << " " << std::dec << -k << " " << s;
      }
}

// One tensor of a safetensors file.
Bytes file_of(const std::vector<float>& weights) {
  std::string header = R"({"layer.weight": {"dtype": "F32", "shape": [)" + std::to_string(weights.size()) +
                       R"(], "data_offsets": [0, )" + std::to_string(weights.size() * 4) + "]}}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  Bytes out(8 + header.size() + weights.size() * 4);
  out[0] = static_cast<std::uint8_t>(header.size());
  std::memcpy(out.data() + 8, header.data(), header.size());
  std::memcpy(out.data() + 8 + header.size(), weights.data(), weights.size() * 4);
  return out;
}

std::vector<float> normal_weights(std::size_t count, std::uint_fast32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.1f);
  std::vector<float> weights(count);
  for (float& w : weights) w = normal(random);
  return weights;
}

struct Outcome {
  std::string mode;
  std::size_t bytes = 0;
};

// Encodes and rebuilds the one tensor in both profiles; hands back how the standard one coded it.
Outcome code(const std::vector<float>& base, const std::vector<float>& target, std::vector<LowRankHint> hints = {}) {
  const Bytes base_file = file_of(base);
  const Bytes target_file = file_of(target);
  Outcome outcome;
  for (const Profile profile : {Profile::small, Profile::standard}) {
    EncodeOptions options;
    options.profile = profile;
    options.effort = 3;
    options.hints = hints;
    const auto patch = encode(base_file, target_file, options);
    EXPECT_TRUE(patch.has_value());
    const auto rebuilt = apply(base_file, *patch, kFileBytesMax);
    EXPECT_TRUE(rebuilt.has_value()) << rebuilt.error().context;
    EXPECT_EQ(*rebuilt, target_file);
    const auto seen = inspect(*patch, &base_file);
    EXPECT_TRUE(seen.has_value());
    for (const auto& part : seen->parts)
      if (part.name == "layer.weight") outcome.mode = part.mode;
    outcome.bytes = patch->size();
  }
  return outcome;
}

TEST(Lattice, StepsOfOneSizeCostWhatTheirCountsDo) {
  const auto base = normal_weights(40'000, 2);
  std::mt19937 random(3);
  auto target = base;
  for (float& w : target)
    if (random() % 4 == 0) w += static_cast<float>(static_cast<int>(random() % 7) - 3) * 0x1p-13f;
  const Outcome outcome = code(base, target);
  EXPECT_EQ(outcome.mode, "lattice");
  // A flag of entropy 0.75 and, for a quarter less a seventh of that, log2(6) bits more.
  EXPECT_LT(outcome.bytes, 40'000 * (0.75 + 0.215 * 2.59) / 8 * 1.03 + 200);
}

TEST(Lattice, SparseStepsAreCodedAsRuns) {
  const auto base = normal_weights(40'000, 4);
  std::mt19937 random(5);
  auto target = base;
  for (float& w : target)
    if (random() % 50 == 0) w += random() % 2 == 0 ? 0x1p-12f : -0x1p-12f;
  const Outcome outcome = code(base, target);
  EXPECT_EQ(outcome.mode, "lattice");
  EXPECT_LT(outcome.bytes, 40'000 * (0.1414 + 0.02) / 8 * 1.05 + 200);
}

TEST(Lattice, RoundsAsTheAdditionDoesAndKeepsSubnormals) {
  std::mt19937 random(6);
  // Values of every size, so that the step is far below some and far above others.
  std::vector<float> base(20'000);
  for (float& w : base) w = std::ldexp(static_cast<float>(random() % 16'777'216), -static_cast<int>(random() % 60) - 20);
  auto target = base;
  for (float& w : target) w += static_cast<float>(static_cast<int>(random() % 2001) - 1000) * 0x1p-40f;
  EXPECT_EQ(code(base, target).mode, "lattice");

  for (float& w : base) w = static_cast<float>(random() % 3000) * std::numeric_limits<float>::denorm_min();
  target = base;
  for (float& w : target) w -= static_cast<float>(random() % 5) * std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(code(base, target).mode, "lattice");
}

TEST(Lattice, LeavesOtherTensorsAlone) {
  const auto base = normal_weights(5000, 7);
  auto target = base;
  std::mt19937 random(8);
  std::normal_distribution<float> normal;
  for (float& w : target) w *= 1 + 1e-3f * normal(random);
  EXPECT_EQ(code(base, target).mode, "residual");
  auto odd = base;
  for (std::size_t i = 0; i < odd.size(); i += 5) odd[i] += 0x1p-12f;
  odd[17] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(code(base, odd).mode, "lattice");
  EXPECT_NE(code(odd, base).mode, "lattice");
}

TEST(Lattice, NonFiniteValuesThatStayAreNoObstacle) {
  auto base = normal_weights(5000, 9);
  base[3] = std::numeric_limits<float>::infinity();
  base[4] = std::numeric_limits<float>::quiet_NaN();
  base[5] = -0.0f;
  auto target = base;
  for (std::size_t i = 10; i < target.size(); i += 3) target[i] += 0x1p-11f;
  EXPECT_EQ(code(base, target).mode, "lattice");
}

struct Update {
  std::vector<float> base;
  std::vector<float> target;
  LowRankHint hint;
};
Update low_rank_update(std::uint32_t rows, std::uint32_t columns, std::uint32_t rank, int factor_max, std::uint_fast32_t seed) {
  std::mt19937 random(seed);
  Update made{normal_weights(static_cast<std::size_t>(rows) * columns, seed), {}, {"layer.weight", rows, columns, rank, 3, 14, {}, {}}};
  const auto factor = [&] { return static_cast<std::int16_t>(static_cast<int>(random() % (2u * static_cast<unsigned>(factor_max) + 1)) - factor_max); };
  for (std::uint32_t i = 0; i < rows * rank; ++i) made.hint.u.push_back(factor());
  for (std::uint32_t i = 0; i < rank * columns; ++i) made.hint.v.push_back(factor());
  made.target = made.base;
  for (std::uint32_t i = 0; i < rows; ++i)
    for (std::uint32_t j = 0; j < columns; ++j) {
      std::int64_t k = 0;
      for (std::uint32_t r = 0; r < rank; ++r) k += made.hint.u[i * rank + r] * made.hint.v[r * columns + j];
      made.target[i * columns + j] += std::ldexp(static_cast<float>(k >> made.hint.shift), -made.hint.scale);
    }
  return made;
}

TEST(LowRank, CostsItsFactors) {
  const Update made = low_rank_update(300, 200, 4, 7, 10);
  const Outcome outcome = code(made.base, made.target, {made.hint});
  EXPECT_EQ(outcome.mode, "low-rank");
  EXPECT_LT(outcome.bytes, 500 * 4 * 3.91 / 8 * 1.15 + 250);
  EXPECT_EQ(code(made.base, made.target).mode, "lattice");
}

TEST(LowRank, CorrectsWhatTheFactorsMiss) {
  Update made = low_rank_update(100, 300, 2, 100, 11);
  std::mt19937 random(12);
  for (float& w : made.target)
    if (random() % 100 == 0) w += 5 * 0x1p-14f;
  const Outcome outcome = code(made.base, made.target, {made.hint});
  EXPECT_EQ(outcome.mode, "low-rank");
  EXPECT_LT(outcome.bytes, 400 * 2 * 7.7 / 8 * 1.1 + 30'000 * 0.13 / 8 + 250);
}

TEST(LowRank, WideFactorsAndLargeRanks) {
  const Update wide = low_rank_update(40, 600, 2, 300, 13);
  EXPECT_EQ(code(wide.base, wide.target, {wide.hint}).mode, "low-rank");
  const Update full = low_rank_update(2000, 100, 32, 3, 14);
  EXPECT_EQ(code(full.base, full.target, {full.hint}).mode, "low-rank");
}

// Too large for the small profile's memory, which then does without.
TEST(LowRank, FactorsThatDoNotFitAreNotUsed) {
  const Update made = low_rank_update(100, 3000, 2, 9, 15);
  EXPECT_EQ(code(made.base, made.target, {made.hint}).mode, "low-rank");
}

TEST(LowRank, WrongHintsAreIgnored) {
  const Update made = low_rank_update(50, 60, 2, 9, 16);
  const auto with = [&](const std::function<void(LowRankHint&)>& spoil) {
    LowRankHint hint = made.hint;
    spoil(hint);
    return code(made.base, made.target, {hint}).mode;
  };
  EXPECT_EQ(with([](auto&) {}), "low-rank");
  EXPECT_EQ(with([](auto& h) { h.rank = 0; }), "lattice");
  EXPECT_EQ(with([](auto& h) { h.rank = 33; }), "lattice");
  EXPECT_EQ(with([](auto& h) { h.shift = 32; }), "lattice");
  EXPECT_EQ(with([](auto& h) { h.scale = 150; }), "lattice");
  EXPECT_EQ(with([](auto& h) { h.columns = 0; }), "lattice");
  EXPECT_EQ(with([](auto& h) { h.columns = 61; }), "lattice");
  EXPECT_EQ(with([](auto& h) { h.u.pop_back(); }), "lattice");
  EXPECT_EQ(with([](auto& h) { h.v.push_back(1); }), "lattice");
  EXPECT_EQ(with([](auto& h) { h.tensor = "another"; }), "lattice");
  EXPECT_EQ(with([](auto& h) { for (auto& x : h.u) x = 30'000; }), "lattice");  // corrections cost more than steps
}

TEST(HintsFile, IsReadAndRefusedWithReason) {
  const auto read = [](const std::string& text) { return read_hints(to_bytes(text)); };
  const auto hints = read(R"([{"tensor": "a", "rows": 2, "columns": 3, "rank": 1, "shift": 4, "scale": -5, "u": [1, -2], "v": [3, 4, 5]}])");
  ASSERT_TRUE(hints.has_value());
  EXPECT_EQ(hints->at(0).tensor, "a");
  EXPECT_EQ(hints->at(0).scale, -5);
  EXPECT_EQ(hints->at(0).u, (std::vector<std::int16_t>{1, -2}));
  EXPECT_TRUE(read("[]")->empty());
  const std::string deep(100'000, '[');
  for (const std::string& bad : std::vector<std::string>
       {"", "{}", "[1]", "[{}]", "nonsense", R"([{"tensor": 1, "rows": 2, "columns": 3, "rank": 1, "shift": 4, "scale": 5, "u": [], "v": []}])",
        R"([{"tensor": "a", "rows": -2, "columns": 3, "rank": 1, "shift": 4, "scale": 5, "u": [], "v": []}])",
        R"([{"tensor": "a", "rows": 2, "columns": 3, "rank": 1, "shift": 4, "scale": 5, "u": [40000], "v": []}])",
        R"([{"tensor": "a", "rows": 2, "columns": 3, "rank": 1e99, "shift": 4, "scale": 5, "u": [1.5], "v": []}])", deep}) {
    const auto refused = read(bad);
    ASSERT_FALSE(refused.has_value()) << bad;
    EXPECT_EQ(refused.error().code, Code::invalid);
  }
}

}  // namespace
}  // namespace hone::delta
