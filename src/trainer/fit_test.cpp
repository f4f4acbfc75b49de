#include "trainer/fit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "base/hash.hpp"
#include "platform/sim/sim.hpp"
#include "shared/delta/encode/encode.hpp"
#include "shared/delta/encode/hints_file.hpp"
#include "shared/model/run/runtime.hpp"
#include "trainer/onnx_reader.hpp"
#include "trainer/onnx_writer.hpp"
#include "trainer/testing_rows.hpp"
#include "trainer/train.hpp"

namespace hone::trainer {
namespace {

using namespace testing;
using ::testing::HasSubstr;

TrainRules rules() {
  TrainRules result;
  result.layers = {dense(16), relu(), dense(4)};
  result.epochs = 4;
  result.batch_size = 32;
  result.learning_rate = 1e-2;
  return result;
}

Plan plan_of(const Rows& rows) {
  return *plan_network(rows.signal, rules().layers);
}

bool never(const wire::ProgressPoint&) {
  return false;
}

TEST(Fit, LearnsASmallProblem) {
  const Rows rows = four_pairs(600, 1);
  const auto fitted = fit(plan_of(rows), rules(), rows, {}, 1, never);
  ASSERT_TRUE(fitted) << fitted.error().context;
  EXPECT_GT(fitted->validation_metric, 0.9);
  EXPECT_LT(fitted->curve.back().loss, fitted->curve.front().loss / 2);
}

TEST(Fit, GivesTheSameBytesForTheSameSeedAndOthersForAnother) {
  const Rows rows = four_pairs(300, 1);
  TrainRules with_dropout = rules();
  with_dropout.layers = {dense(16), relu(), dropout(0.2), dense(4)};
  const Plan plan = *plan_network(rows.signal, with_dropout.layers);
  const auto one = fit(plan, with_dropout, rows, {}, 5, never);
  const auto two = fit(plan, with_dropout, rows, {}, 5, never);
  const auto other = fit(plan, with_dropout, rows, {}, 6, never);
  ASSERT_TRUE(one && two && other);
  if (one->device != "cpu") GTEST_SKIP() << "only the CPU promises the same bits";
  EXPECT_EQ(one->weights, two->weights);
  EXPECT_NE(one->weights, other->weights);
}

TEST(Fit, BeginsBetterFromTheWeightsOfAnEarlierModel) {
  const Rows rows = four_pairs(600, 1);
  const auto cold = fit(plan_of(rows), rules(), rows, {}, 1, never);
  ASSERT_TRUE(cold);
  const auto warm = fit(plan_of(rows), rules(), four_pairs(600, 2), cold->weights, 2, never);
  ASSERT_TRUE(warm);
  EXPECT_LT(warm->curve.front().loss, cold->curve.front().loss / 2);
}

TEST(Fit, RefusesAStartOfAnotherShape) {
  const Rows rows = four_pairs(100, 1);
  Weights start = fit(plan_of(rows), rules(), rows, {}, 1, never)->weights;
  start[0].shape = {4, 32};
  EXPECT_EQ(fit(plan_of(rows), rules(), rows, start, 1, never).error().code, Code::wrong_base);
}

TEST(Fit, StopsWhenItIsTold) {
  const Rows rows = four_pairs(2000, 1);
  int calls = 0;
  const auto fitted = fit(plan_of(rows), rules(), rows, {}, 1, [&](const wire::ProgressPoint& point) {
    EXPECT_GT(point.progress, 0.0);
    return ++calls == 3;
  });
  ASSERT_FALSE(fitted);
  EXPECT_EQ(fitted.error().code, Code::cancelled);
  EXPECT_EQ(calls, 3);
}

TEST(Fit, ReportsProgressThatGrowsToOne) {
  const Rows rows = four_pairs(400, 1);
  double last = 0;
  ASSERT_TRUE(fit(plan_of(rows), rules(), rows, {}, 1, [&](const wire::ProgressPoint& point) {
    EXPECT_GE(point.progress, last);
    last = point.progress;
    return false;
  }));
  EXPECT_DOUBLE_EQ(last, 1.0);
}

TEST(Fit, SaysWhenTheLearningRateIsTooHigh) {
  const Rows rows = four_pairs(400, 1);
  TrainRules wild = rules();
  wild.learning_rate = 1e30;
  const auto fitted = fit(plan_of(rows), wild, rows, {}, 1, never);
  ASSERT_FALSE(fitted);
  EXPECT_EQ(fitted.error().code, Code::invalid);
  EXPECT_THAT(fitted.error().context, HasSubstr("lower train.learning_rate"));
}

TEST(Fit, RefusesRowsThatDoNotFit) {
  Rows rows = four_pairs(50, 1);
  const Plan plan = plan_of(rows);
  EXPECT_EQ(fit(plan, rules(), Rows{rows.signal, {}, {}, {}, {}}, {}, 1, never).error().code, Code::invalid);
  Rows label = rows;
  label.y[3] = 4;
  EXPECT_EQ(fit(plan, rules(), label, {}, 1, never).error().code, Code::invalid);
  rows.x.pop_back();
  EXPECT_EQ(fit(plan, rules(), rows, {}, 1, never).error().code, Code::invalid);
}

TEST(Fit, TrainsConvolutionsOnEveryKindOfSample) {
  for (const wire::DType dtype : {wire::DType::uint8, wire::DType::int16, wire::DType::float32}) {
    Rows rows;
    rows.signal = signal({1, 6, 6}, 2);
    rows.signal.dtype = dtype;
    rows.x.assign(40 * rows.signal.sample_bytes(), 0);
    for (std::size_t row = 0; row < 40; ++row) rows.y.push_back(static_cast<std::int64_t>(row % 2));
    TrainRules small = rules();
    small.layers = {conv(2, 3), relu(), maxpool(2), dense(2)};
    EXPECT_TRUE(fit(*plan_network(rows.signal, small.layers), small, rows, {}, 1, never));
  }
}

TEST(Fit, StopsEarlyWhenNothingGetsBetter) {
  const Rows rows = four_pairs(600, 1);
  TrainRules patient = rules();
  patient.epochs = 40;
  const auto full = fit(plan_of(rows), patient, rows, {}, 1, never);
  patient.patience = 2;
  const auto stopped = fit(plan_of(rows), patient, rows, {}, 1, never);
  ASSERT_TRUE(full && stopped);
  EXPECT_LT(stopped->curve.size(), full->curve.size());
  EXPECT_GT(stopped->validation_metric, 0.9);
}

// One row in fifty has the second label, and it is hard to tell from the first.
Rows rare_label(std::size_t count, std::uint64_t seed) {
  Rows rows;
  rows.signal = signal({4}, 2);
  Draw draw(seed);
  for (std::size_t row = 0; row < count; ++row) {
    const bool rare = row % 50 == 0;
    for (std::size_t i = 0; i < 4; ++i) rows.x.push_back(static_cast<std::uint8_t>(draw() / 2 + (rare ? 70 : 0)));
    rows.y.push_back(rare ? 1 : 0);
  }
  return rows;
}

double recall_of_rare(const Rows& rows, bool balance) {
  TrainRules with = rules();
  with.layers = {dense(8), relu(), dense(2)};
  with.balance = balance;
  const Plan plan = *plan_network(rows.signal, with.layers);
  const auto fitted = fit(plan, with, rows, {}, 1, never);
  EXPECT_TRUE(fitted) << fitted.error().context;
  const Bytes onnx = *write_onnx(plan, fitted->weights, {PipelineName("rare"), "", "", "", 1});
  const auto runtime = model::make_onnx_runtime();
  const auto runner = (*runtime)->load(onnx, rows.signal);
  std::vector<float> scores(rows.rows() * 2);
  EXPECT_TRUE((*runner)->run(rows.x, static_cast<std::int64_t>(rows.rows()), scores));
  double found = 0, all = 0;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    if (rows.y[row] == 0) continue;
    all += 1;
    found += scores[2 * row + 1] > scores[2 * row] ? 1 : 0;
  }
  return found / all;
}

TEST(Fit, BalancedItFindsARareLabelMoreOften) {
  const Rows rows = rare_label(3000, 1);
  EXPECT_GT(recall_of_rare(rows, true), recall_of_rare(rows, false) + 0.2);
}

// A bright 2x2 spot at the left or at the right of a dark image, always at the same place.
Rows spots(std::size_t count, int down) {
  Rows rows;
  rows.signal = signal({1, 8, 8}, 2);
  for (std::size_t row = 0; row < count; ++row) {
    std::array<std::uint8_t, 64> image{};
    Draw draw(row + 1);
    for (auto& pixel : image) pixel = static_cast<std::uint8_t>(draw() / 16);
    const std::size_t left = row % 2 == 0 ? 1 : 5;
    for (std::size_t y = 0; y < 2; ++y)
      for (std::size_t x = 0; x < 2; ++x) image[(static_cast<std::size_t>(3 + down) + y) * 8 + left + x] = 250;
    rows.x.insert(rows.x.end(), image.begin(), image.end());
    rows.y.push_back(static_cast<std::int64_t>(row % 2));
  }
  return rows;
}

double accuracy_on(const Rows& rows, const Plan& plan, const Weights& weights) {
  const Bytes onnx = *write_onnx(plan, weights, {PipelineName("spots"), "", "", "", 1});
  const auto runtime = model::make_onnx_runtime();
  const auto runner = (*runtime)->load(onnx, rows.signal);
  std::vector<float> scores(rows.rows() * 2);
  EXPECT_TRUE((*runner)->run(rows.x, static_cast<std::int64_t>(rows.rows()), scores));
  double right = 0;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    right += (scores[2 * row + 1] > scores[2 * row]) == (rows.y[row] == 1) ? 1 : 0;
  return right / static_cast<double>(rows.rows());
}

TEST(Fit, ImagesThatAreMovedWhileTrainingAreKnownElsewhere) {
  const Rows rows = spots(400, 0), moved = spots(400, 2);
  TrainRules with = rules();
  with.layers = {dense(16), relu(), dense(2)};
  const Plan plan = *plan_network(rows.signal, with.layers);
  with.augment.shift = 2;
  with.augment.rotate = 5;
  const auto augmented = fit(plan, with, rows, {}, 1, never);
  ASSERT_TRUE(augmented) << augmented.error().context;
  EXPECT_GT(accuracy_on(rows, plan, augmented->weights), 0.95);
  EXPECT_GT(accuracy_on(moved, plan, augmented->weights), 0.95);
  const auto again = fit(plan, with, rows, {}, 1, never);
  if (augmented->device == "cpu") {
    EXPECT_EQ(augmented->weights, again->weights) << "the seed moves them";
  }
}

class Train : public ::testing::Test {
 protected:
  Train() {
    pipeline.name = PipelineName("pairs");
    pipeline.signal = rows.signal;
    pipeline.train = rules();
    job.id = JobId("job-1");
    job.pipeline = pipeline.name;
    job.seed = 3;
  }
  Result<TrainOutcome> run(const std::optional<Bytes>& base = {}) {
    return train(job, pipeline, rows, base, "here", clock, never);
  }

  Rows rows = four_pairs(400, 1);
  Pipeline pipeline;
  wire::Job job;
  platform::SimClock clock{from_unix_ms(0)};
};

TEST_F(Train, NamesTheModelByItsBytesAndTellsWhereItComesFrom) {
  const auto outcome = run();
  ASSERT_TRUE(outcome) << outcome.error().context;
  EXPECT_EQ(outcome->message.model.sha256, sha256(outcome->onnx));
  EXPECT_EQ(outcome->message.lineage["seed"], 3);
  EXPECT_EQ(outcome->message.lineage["trainer"], "here");
  EXPECT_FALSE(outcome->message.lineage["warm_start"].get<bool>());
  EXPECT_GT(outcome->message.lineage["curve"].size(), 1u);
}

TEST_F(Train, IsRepeatable) {
  EXPECT_EQ(run()->onnx, run()->onnx);
}

TEST_F(Train, BeginsFromTheDeployedModel) {
  const Bytes base = run()->onnx;
  job.base = ModelHash{sha256(base)};
  const auto warm = run(base);
  ASSERT_TRUE(warm);
  EXPECT_TRUE(warm->message.lineage["warm_start"].get<bool>());
  EXPECT_EQ(warm->message.lineage["base"], job.base->hex());
}

TEST_F(Train, BeginsFromScratchWhenTheRecipeHasChangedAndSaysSo) {
  const Bytes base = run()->onnx;
  job.base = ModelHash{sha256(base)};
  pipeline.train.layers = {dense(24), relu(), dense(4)};
  const auto outcome = run(base);
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->message.lineage["warm_start"].get<bool>());
  EXPECT_THAT(outcome->message.lineage["started_from_scratch"].get<std::string>(), HasSubstr("another shape"));
}

// A deployed model that learned too little, and what follows under a budget.
class TrainForTheWire : public Train {
 protected:
  TrainForTheWire() {
    rows = four_pairs(40, 1);
    pipeline.train.epochs = 1;
    base = run()->onnx;
    job.base = ModelHash{sha256(base)};
    rows = four_pairs(800, 2);
    pipeline.train.epochs = 4;
    pipeline.delivery.wire_budget = WireBudget{0, 500};
  }
  Bytes base;
};

TEST_F(TrainForTheWire, HandsInAnUpdateWithinTheBudgetAndTheFreeModelAsASecondLook) {
  const auto outcome = run(base);
  ASSERT_TRUE(outcome) << outcome.error().context;
  const wire::TrainedModel& message = outcome->message;
  const Json& wire = message.lineage["wire"];
  ASSERT_TRUE(message.fallback && message.hints) << wire.dump();
  ASSERT_EQ(outcome->further.size(), 2u);
  EXPECT_EQ(message.hints->sha256, sha256(outcome->further[0]));
  EXPECT_EQ(message.fallback->model.sha256, sha256(outcome->further[1]));
  EXPECT_NE(message.fallback->model, message.model);

  delta::EncodeOptions options;  // as the cloud encodes it
  const auto hints = delta::read_hints(outcome->further[0]);
  ASSERT_TRUE(hints) << hints.error().context;
  options.hints = *hints;
  const auto patch = delta::encode(base, outcome->onnx, options);
  ASSERT_TRUE(patch);
  EXPECT_EQ(patch->size(), wire["points"].at(wire["chosen"].get<std::size_t>())["bytes"].get<std::size_t>());
  EXPECT_LE(patch->size(), 500u);
  EXPECT_LT(patch->size(), delta::encode(base, outcome->further[1])->size());
}

TEST_F(TrainForTheWire, IsNotTriedWhereRareLabelsWeighMore) {
  pipeline.train.balance = true;
  const auto outcome = run(base);
  ASSERT_TRUE(outcome) << outcome.error().context;
  EXPECT_FALSE(outcome->message.fallback || outcome->message.hints);
  EXPECT_THAT(outcome->message.lineage["wire"]["not_tried"].get<std::string>(), HasSubstr("train.balance"));
}

TEST_F(TrainForTheWire, HandsInTheFreeModelAloneWhenTheBudgetIsTooSmall) {
  pipeline.delivery.wire_budget = WireBudget{0, 64};
  const auto outcome = run(base);
  ASSERT_TRUE(outcome) << outcome.error().context;
  EXPECT_FALSE(outcome->message.fallback || outcome->message.hints);
  EXPECT_TRUE(outcome->message.lineage["wire"]["chosen"].is_null());
  EXPECT_THAT(outcome->message.lineage["wire"]["stopped"].get<std::string>(), HasSubstr("changes nothing"));
}

TEST_F(TrainForTheWire, SaysThatAFirstModelIsNoUpdate) {
  job.base.reset();
  const auto outcome = run();
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->message.fallback);
  EXPECT_TRUE(outcome->message.lineage["wire"].contains("not_tried"));
}

TEST_F(TrainForTheWire, ReportsProgressThatGrowsBeyondFreeTraining) {
  double last = 0;
  ASSERT_TRUE(train(job, pipeline, rows, base, "here", clock, [&](const wire::ProgressPoint& point) {
    EXPECT_GE(point.progress, last);
    last = point.progress;
    return false;
  }));
  EXPECT_GT(last, 0.15);  // free training is the first eighth; a curve may end early
  EXPECT_LE(last, 1.0);
}

TEST_F(Train, TriesBothStartsAndTakesTheBetter) {
  const Bytes base = run()->onnx;
  job.base = ModelHash{sha256(base)};
  pipeline.train.start = Start::best;
  pipeline.train.epochs = 1;
  const auto outcome = run(base);
  ASSERT_TRUE(outcome) << outcome.error().context;
  const Json& lineage = outcome->message.lineage;
  const double warm = lineage["validation_warm"], fresh = lineage["validation_fresh"];
  EXPECT_EQ(outcome->message.validation_metric, std::max(warm, fresh));
  EXPECT_EQ(lineage["warm_start"].get<bool>(), warm >= fresh);
  EXPECT_EQ(lineage["start"], "best");
}

TEST_F(Train, BeginsAfreshWhenTheRecipeSaysSo) {
  pipeline.train.start = Start::fresh;
  const Bytes base = run()->onnx;
  job.base = ModelHash{sha256(base)};
  EXPECT_EQ(run(base)->onnx, base) << "the deployed model changes nothing";
}

TEST_F(Train, LeavesOutRowsThatNobodyLabelled) {
  for (std::size_t row = 0; row < 100; ++row) rows.y[row] = -1;
  const auto outcome = run();
  ASSERT_TRUE(outcome) << outcome.error().context;
  EXPECT_EQ(outcome->message.lineage["rows"], 300);
  EXPECT_EQ(outcome->message.lineage["rows_without_a_label"], 100);
  rows.y.assign(rows.y.size(), -1);
  EXPECT_THAT(run().error().context, HasSubstr("no row to train on: no row has a label, and the recipe 'cnn' learns labels"));
}

TEST_F(Train, SaysWhenTheValidationIsOfRowsThatWereFitted) {
  EXPECT_FALSE(run()->message.lineage.contains("validated_on_fitted_rows"));
  rows.x.resize(12 * rows.signal.sample_bytes());
  rows.y.resize(12);
  const auto outcome = run();
  ASSERT_TRUE(outcome) << outcome.error().context;
  EXPECT_EQ(outcome->message.lineage["validated_on_fitted_rows"], true);
}

TEST_F(Train, StandardisesWithinTheGraphAndKeepsTheScaleWhenItGoesOn) {
  // Far from zero, and hardly varying: without a scale of its own the network sees next to nothing.
  for (auto& value : rows.x) value = static_cast<std::uint8_t>(200 + value / 16);
  pipeline.train.normalise = true;
  const auto first = run();
  ASSERT_TRUE(first) << first.error().context;
  EXPECT_GT(first->message.validation_metric, 0.9);
  const auto scale_of = [&](const Bytes& onnx) {
    Plan plan = *plan_network(rows.signal, pipeline.train.layers);
    plan.input_scale = InputScale{{8}, std::vector<float>(8), std::vector<float>(8, 1), 0};
    const auto scale = read_input_scale(onnx, plan);
    EXPECT_TRUE(scale) << scale.error().context;
    return scale ? *scale : std::nullopt;
  };
  ASSERT_TRUE(scale_of(first->onnx));
  job.base = ModelHash{sha256(first->onnx)};
  rows.x.resize(rows.x.size() / 2);
  rows.y.resize(rows.y.size() / 2);
  const auto next = run(first->onnx);
  ASSERT_TRUE(next) << next.error().context;
  EXPECT_EQ(scale_of(next->onnx), scale_of(first->onnx));
  // The file alone does it: raw samples in, the labels out.
  const auto runtime = model::make_onnx_runtime();
  const auto runner = (*runtime)->load(next->onnx, rows.signal);
  ASSERT_TRUE(runner) << runner.error().context;
  std::vector<float> scores(rows.rows() * 4);
  ASSERT_TRUE((*runner)->run(rows.x, static_cast<std::int64_t>(rows.rows()), scores));
  double right = 0;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const auto begin = scores.begin() + static_cast<std::ptrdiff_t>(4 * row);
    right += std::max_element(begin, begin + 4) - begin == rows.y[row] ? 1 : 0;
  }
  EXPECT_GT(right / static_cast<double>(rows.rows()), 0.9);
}

}  // namespace
}  // namespace hone::trainer
