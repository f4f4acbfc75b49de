// Training under a byte budget, on a small problem that changes with time.
#include "trainer/wire/distil.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "base/hash.hpp"
#include "shared/delta/apply.hpp"
#include "shared/delta/encode/encode.hpp"
#include "shared/model/run/runtime.hpp"
#include "trainer/onnx_reader.hpp"
#include "trainer/testing_rows.hpp"
#include "trainer/wire/patch_size.hpp"
#include "trainer/wire/recipe.hpp"

namespace hone::trainer::wire_training {
namespace {

using namespace testing;
using ::testing::HasSubstr;

constexpr std::uint64_t kBudget = 700;

bool never(const wire::ProgressPoint&) { return false; }

// Sixteen noisy sensors; each of four labels is a pattern that turns slowly with time.
Rows turning_patterns(double time, std::size_t count, std::uint64_t seed) {
  Rows rows;
  rows.signal = signal({16}, 4);
  Draw draw(seed * 7919 + 1);
  for (std::size_t row = 0; row < count; ++row) {
    const std::size_t label = draw() % 4;
    for (std::size_t i = 0; i < 16; ++i) {
      const double phase = static_cast<double>((label + 1) * (i + 1)) + 0.15 * time * static_cast<double>(i % 3 + 1);
      rows.x.push_back(static_cast<std::uint8_t>(128 + 50 * std::sin(phase) + (draw() - 127.5) / 2.2));
    }
    rows.y.push_back(static_cast<std::int64_t>(label));
  }
  return rows;
}

TrainRules rules() {
  TrainRules result;
  result.layers = {dense(64), relu(), dense(4)};
  result.epochs = 3;
  result.batch_size = 64;
  result.learning_rate = 1e-2;
  return result;
}

// As devices compute it.
double accuracy(ByteView onnx, const Rows& rows) {
  const auto runtime = model::make_onnx_runtime();
  const auto runner = (*runtime)->load(onnx, rows.signal);
  const auto width = static_cast<std::size_t>((*runner)->width());
  std::vector<float> scores(rows.rows() * width);
  EXPECT_TRUE((*runner)->run(rows.x, static_cast<std::int64_t>(rows.rows()), scores));
  std::size_t right = 0;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const auto first = scores.begin() + static_cast<std::ptrdiff_t>(row * width);
    right += std::max_element(first, first + static_cast<std::ptrdiff_t>(width)) - first == rows.y[row];
  }
  return static_cast<double>(right) / static_cast<double>(rows.rows());
}

class Wire : public ::testing::Test {
 protected:
  OnnxLineage lineage(std::uint64_t seed, ByteView base) const {
    return {PipelineName("turning"), "recipe", sha256(as_bytes(std::to_string(seed))).hex(), base.empty() ? "" : sha256(base).hex(), seed};
  }
  Weights free(const Rows& rows, const std::optional<Weights>& start, std::uint64_t seed) {
    auto fitted = fit(plan, rules(), rows, start, seed, never);
    EXPECT_TRUE(fitted);
    return std::move(fitted->weights);
  }
  // One update of `deployed` under the budget, as a patch.
  struct Sent {
    Distilled distilled;
    Bytes target, patch;
  };
  Sent update(const Rows& rows, const Weights& from, ByteView from_onnx, std::uint64_t bytes, std::uint64_t seed) {
    const TrainRules how = rules();
    const Weights teacher = free(rows, from, seed);
    const OnnxLineage to = lineage(seed, from_onnx);
    const UpdateFile file{plan, from, from_onnx, to};
    Distiller distiller({plan, how, rows, from, teacher, seed}, [&](const Update& u) { return file.wire_bytes(u); }, never);
    auto distilled = distiller.under(bytes);
    EXPECT_TRUE(distilled) << distilled.error().context;
    Sent sent{std::move(*distilled), {}, {}};
    sent.target = *file.onnx(sent.distilled.update);
    delta::EncodeOptions options;
    options.hints = hints_of(sent.distilled.update);
    sent.patch = *delta::encode(from_onnx, sent.target, options);
    return sent;
  }

  Rows first = turning_patterns(0, 1200, 1);
  Plan plan = *plan_network(first.signal, rules().layers);
  Weights deployed = free(first, {}, 1);
  Bytes onnx = *write_onnx(plan, deployed, lineage(1, {}));
};

TEST_F(Wire, KeepsTheBudgetByTheRealCoderAndGainsWhatCounts) {
  const Rows rows = turning_patterns(6, 1200, 2);
  const Rows test = turning_patterns(6, 3000, 3);
  const Sent sent = update(rows, deployed, onnx, kBudget, 2);
  EXPECT_LE(sent.patch.size(), kBudget);
  EXPECT_EQ(sent.patch.size(), sent.distilled.bytes);
  EXPECT_GT(sent.patch.size(), kBudget * 6 / 10);  // and uses it
  const double before = accuracy(onnx, test);
  const double best = accuracy(*write_onnx(plan, free(rows, deployed, 2), lineage(2, onnx)), test);
  ASSERT_GT(best, before + 0.05) << "the problem is no test of learning";
  EXPECT_GT(accuracy(sent.target, test), before + 0.9 * (best - before));
}

// An update cut to its budget after the training loses numbers that the network needs.
TEST_F(Wire, ReachesTinyBudgetsByTrainingNotByCutting) {
  constexpr std::uint64_t kTiny = 220;  // of which 129 change nothing
  const Rows rows = turning_patterns(6, 1200, 2);
  const Rows test = turning_patterns(6, 3000, 3);
  const double before = accuracy(onnx, test);
  const double best = accuracy(*write_onnx(plan, free(rows, deployed, 2), lineage(2, onnx)), test);
  const Sent sent = update(rows, deployed, onnx, kTiny, 2);
  EXPECT_LE(sent.patch.size(), kTiny);
  EXPECT_GT(accuracy(sent.target, test), before + 0.5 * (best - before));
}

TEST_F(Wire, DecodesToTheBytesThatWereMeasured) {
  const Sent sent = update(turning_patterns(6, 1200, 2), deployed, onnx, kBudget, 2);
  const auto rebuilt = delta::apply(onnx, sent.patch, sent.target.size());
  ASSERT_TRUE(rebuilt) << rebuilt.error().context;
  EXPECT_EQ(*rebuilt, sent.target);
  EXPECT_EQ(*read_weights(*rebuilt, plan), *rebuild(deployed, sent.distilled.update));
}

TEST_F(Wire, GivesTheSameBytesForTheSameSeed) {
  const Rows rows = turning_patterns(6, 600, 2);
  EXPECT_EQ(update(rows, deployed, onnx, kBudget, 2).patch, update(rows, deployed, onnx, kBudget, 2).patch);
  EXPECT_NE(update(rows, deployed, onnx, kBudget, 3).target, update(rows, deployed, onnx, kBudget, 2).target);
}

TEST_F(Wire, SaysWhenABudgetIsTooSmallForAnything) {
  const Rows rows = turning_patterns(6, 600, 2);
  const TrainRules how = rules();
  const OnnxLineage to = lineage(2, onnx);
  const UpdateFile file{plan, deployed, onnx, to};
  Distiller distiller({plan, how, rows, deployed, deployed, 2}, [&](const Update& u) { return file.wire_bytes(u); }, never);
  const auto point = distiller.under(60);
  ASSERT_FALSE(point);
  EXPECT_EQ(point.error().code, Code::no_space);
  EXPECT_THAT(point.error().context, HasSubstr("changes nothing"));
}

TEST_F(Wire, StopsWhenItIsTold) {
  const Rows rows = turning_patterns(6, 1200, 2);
  const TrainRules how = rules();
  const OnnxLineage to = lineage(2, onnx);
  const UpdateFile file{plan, deployed, onnx, to};
  const Weights teacher = free(rows, deployed, 2);
  Distiller distiller({plan, how, rows, deployed, teacher, 2}, [&](const Update& u) { return file.wire_bytes(u); },
                      [](const wire::ProgressPoint&) { return true; });
  EXPECT_EQ(distiller.under(kBudget).error().code, Code::cancelled);
}

// Devices that take every update, and their twin that is retrained freely and sent whole.
TEST_F(Wire, TwentyChainedUpdatesStayExactAndNearToFreeRetraining) {
  Bytes on_device = onnx;
  Weights wired = deployed;
  Weights unbound = deployed;
  double lost = 0;
  constexpr int kUpdates = 20, kMeasured = 10;  // the later half, where errors that add up would show
  constexpr std::uint64_t kChainBudget = 1300;  // of 5.4 kB of weights
  for (int step = 1; step <= kUpdates; ++step) {
    const auto seed = static_cast<std::uint64_t>(100 + step);
    const Rows rows = turning_patterns(step, 1200, seed);
    const Rows test = turning_patterns(step, 6000, seed + 1000);
    const Sent sent = update(rows, wired, on_device, kChainBudget, seed);
    ASSERT_LE(sent.patch.size(), kChainBudget);
    const auto rebuilt = delta::apply(on_device, sent.patch, sent.target.size());
    ASSERT_TRUE(rebuilt && *rebuilt == sent.target) << "update " << step;
    on_device = *rebuilt;
    wired = *read_weights(on_device, plan);
    unbound = free(rows, unbound, seed);
    if (step > kUpdates - kMeasured)
      lost += (accuracy(*write_onnx(plan, unbound, lineage(seed, {})), test) - accuracy(on_device, test)) / kMeasured;
  }
  EXPECT_LT(lost, 0.002);
}

class WireCurve : public Wire {
 protected:
  Curve curve(std::uint64_t budget, double keep) {
    const TrainRules how = rules();
    const auto free = fit(plan, how, rows, deployed, 2, never);
    const OnnxLineage to = lineage(2, onnx);
    auto result = train_for_the_wire({plan, how, rows, deployed, onnx, *free, to, 2, budget, keep}, never);
    EXPECT_TRUE(result) << result.error().context;
    return std::move(*result);
  }
  Rows rows = turning_patterns(6, 1200, 2);
};

TEST_F(WireCurve, ChoosesAPointAndTellsOfAll) {
  const Curve result = curve(kBudget, 0.8);
  ASSERT_TRUE(result.chosen) << result.lineage.dump();
  const Json& points = result.lineage["points"];
  ASSERT_GE(points.size(), 1u);
  const Json& chosen = points.at(result.lineage["chosen"].get<std::size_t>());
  EXPECT_LE(chosen["bytes"].get<std::uint64_t>(), kBudget);
  EXPECT_EQ(chosen["tensors"].size(), 4u);
  EXPECT_EQ(chosen["validation_metric"], result.chosen->validation_metric);
  EXPECT_TRUE(read_weights(result.chosen->onnx, plan));
}

TEST_F(WireCurve, ChoosesNoneWhenNothingFitsAndSaysWhy) {
  const Curve result = curve(60, 0.9);
  EXPECT_FALSE(result.chosen);
  EXPECT_TRUE(result.lineage["points"].empty());
  EXPECT_THAT(result.lineage["stopped"].get<std::string>(), HasSubstr("changes nothing"));
}

TEST_F(WireCurve, ChoosesNoneThatKeepsTooLittle) {
  const Curve result = curve(160, 1.0);
  EXPECT_FALSE(result.chosen);
  EXPECT_THAT(result.lineage["stopped"].get<std::string>(), HasSubstr("keeps less"));
}

}  // namespace
}  // namespace hone::trainer::wire_training
