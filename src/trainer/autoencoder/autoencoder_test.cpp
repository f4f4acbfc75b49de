// The autoencoder's recipe from rows to the file, which runs in the runtime that devices have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

#include "base/hash.hpp"
#include "platform/sim/sim.hpp"
#include "shared/metrics/paired_gain.hpp"
#include "shared/model/run/runtime.hpp"
#include "trainer/testing_rows.hpp"
#include "trainer/train.hpp"

namespace hone::trainer {
namespace {

using namespace testing;
using ::testing::HasSubstr;

constexpr std::size_t kWidth = 6;

// Ordinary rows lie on a plane in six dimensions, far from zero and of unlike widths; strange ones do not.
struct Sensors {
  Rows rows;
  std::vector<std::int32_t> strange;
};

Sensors sensors(std::size_t count, double strange_share, std::uint64_t seed) {
  Sensors result;
  result.rows.signal.shape = {kWidth};
  result.rows.signal.dtype = wire::DType::float32;
  result.rows.signal.scale = 0.5;
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<double> uniform;
  for (std::size_t row = 0; row < count; ++row) {
    const bool strange = uniform(random) < strange_share;
    const float a = normal(random), b = normal(random);
    std::array<float, kWidth> sample{a, b, a + b, a - b, 2 * a, 2 * b};
    for (std::size_t i = 0; i < kWidth; ++i) {
      if (strange) sample[i] = 2 * normal(random);
      sample[i] = 100 + (i == 0 ? 50.0F : 1.0F) * (sample[i] + 0.1F * normal(random));
    }
    const std::size_t at = result.rows.x.size();
    result.rows.x.resize(at + sizeof sample);
    std::memcpy(result.rows.x.data() + at, sample.data(), sizeof sample);
    result.rows.y.push_back(-1);
    result.strange.push_back(strange ? 1 : 0);
  }
  return result;
}

struct Answers {
  std::vector<double> scores;
  std::vector<bool> anomalous;
  std::vector<float> reconstruction;
};

class Autoencoder : public ::testing::Test {
 protected:
  Autoencoder() {
    pipeline.name = PipelineName("sensors");
    pipeline.train.recipe = Recipe::autoencoder;
    pipeline.train.layers = {dense(12), relu(), dense(2), dense(12), relu(), dense(kWidth)};
    pipeline.train.epochs = 20;
    pipeline.train.batch_size = 64;
    pipeline.train.learning_rate = 1e-2;
    job.id = JobId("job-1");
    job.pipeline = pipeline.name;
    job.seed = 3;
  }
  Result<TrainOutcome> run(const Rows& rows, const std::optional<Bytes>& base = {}) {
    pipeline.signal = rows.signal;
    return train(job, pipeline, rows, base, "here", clock, [](const wire::ProgressPoint&) { return false; });
  }
  Answers ask(const Bytes& onnx, const Rows& rows) {
    const auto runtime = model::make_onnx_runtime();
    const auto runner = (*runtime)->load(onnx, rows.signal, "reconstruction");
    EXPECT_TRUE(runner) << runner.error().context;
    EXPECT_TRUE((*runner)->scores_anomalies());
    EXPECT_EQ((*runner)->width(), 2);
    std::vector<float> outputs(rows.rows() * 2);
    Answers answers;
    answers.reconstruction.resize(rows.rows() * kWidth);
    EXPECT_TRUE((*runner)->run(rows.x, static_cast<std::int64_t>(rows.rows()), outputs, answers.reconstruction));
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      answers.scores.push_back(outputs[2 * row]);
      answers.anomalous.push_back(outputs[2 * row + 1] == 1);
    }
    return answers;
  }

  Pipeline pipeline;
  wire::Job job;
  platform::SimClock clock{from_unix_ms(0)};
};

TEST_F(Autoencoder, TellsWhatIsStrangeThoughItLearnedFromStrangeRowsToo) {
  const auto outcome = run(sensors(3000, 0.05, 1).rows);
  ASSERT_TRUE(outcome) << outcome.error().context;
  const Sensors fresh = sensors(1000, 0.1, 2);
  EXPECT_GT(metrics::auc(fresh.strange, ask(outcome->onnx, fresh.rows).scores), 0.9);
}

TEST_F(Autoencoder, GivesOrdinaryRowsBackInTheirOwnUnits) {
  const auto outcome = run(sensors(3000, 0, 1).rows);
  ASSERT_TRUE(outcome) << outcome.error().context;
  const Sensors fresh = sensors(500, 0, 2);
  const Answers answers = ask(outcome->onnx, fresh.rows);
  double missed = 0, varied = 0;
  for (std::size_t row = 0; row < fresh.rows.rows(); ++row) {
    float raw = 0;  // the second element, whose mean is 100 and whose spread is 1
    std::memcpy(&raw, fresh.rows.x.data() + (row * kWidth + 1) * sizeof raw, sizeof raw);
    const double value = 0.5 * static_cast<double>(raw), back = answers.reconstruction[row * kWidth + 1];
    missed += (value - back) * (value - back);
    varied += (value - 50) * (value - 50);
  }
  EXPECT_LT(missed, 0.3 * varied);
}

TEST_F(Autoencoder, KeepsItsShareOfAlarms) {
  pipeline.train.anomaly.threshold = 0.95;
  const auto outcome = run(sensors(3000, 0, 1).rows);
  ASSERT_TRUE(outcome) << outcome.error().context;
  const auto flagged = ask(outcome->onnx, sensors(2000, 0, 2).rows).anomalous;
  EXPECT_NEAR(static_cast<double>(std::count(flagged.begin(), flagged.end(), true)) / 2000, 0.05, 0.025);
}

TEST_F(Autoencoder, GoesOnFromTheDeployedModelInItsScale) {
  const Rows rows = sensors(1000, 0.02, 1).rows;
  const auto first = run(rows);
  ASSERT_TRUE(first) << first.error().context;
  EXPECT_EQ(run(rows)->onnx, first->onnx) << "repeatable";
  job.base = ModelHash{sha256(first->onnx)};
  pipeline.train.epochs = 1;
  const auto next = run(sensors(1000, 0.02, 7).rows, first->onnx);
  ASSERT_TRUE(next) << next.error().context;
  EXPECT_TRUE(next->message.lineage["warm_start"].get<bool>());
  EXPECT_GT(next->message.validation_metric, 0.5);
}

TEST_F(Autoencoder, SaysWhatItCannotWorkWith) {
  EXPECT_THAT(run(sensors(5, 0, 1).rows).error().context, HasSubstr("at least 20 are needed"));
  pipeline.train.layers = {dense(2), dense(5)};
  EXPECT_THAT(run(sensors(100, 0, 1).rows).error().context, HasSubstr("must be 'dense 6'"));
}

}  // namespace
}  // namespace hone::trainer
