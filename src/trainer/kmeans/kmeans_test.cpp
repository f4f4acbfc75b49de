// The k-means recipe from rows to the file, which runs in the runtime that devices have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <random>

#include "platform/sim/sim.hpp"
#include "shared/model/run/runtime.hpp"
#include "trainer/kmeans/cluster_onnx.hpp"
#include "trainer/kmeans/spectrum.hpp"
#include "trainer/train.hpp"

namespace hone::trainer {
namespace {

using ::testing::HasSubstr;

// Windows of four floats around known places; the first feature is much wider than the others.
class Blobs {
 public:
  explicit Blobs(std::uint64_t seed) : random_(seed) {
    rows.signal.shape = {4};
    rows.signal.dtype = wire::DType::float32;
    rows.signal.scale = 0.5;
  }
  void add(std::size_t count, const std::array<double, 4>& place, double width = 1) {
    for (std::size_t i = 0; i < count; ++i) {
      std::array<float, 4> sample{};
      for (std::size_t f = 0; f < 4; ++f)
        sample[f] = static_cast<float>((f == 0 ? 100 : 1) * (place[f] + width * normal_(random_)));
      push(sample);
    }
  }
  void push(const std::array<float, 4>& sample) {
    const std::size_t at = rows.x.size();
    rows.x.resize(at + sizeof sample);
    std::memcpy(rows.x.data() + at, sample.data(), sizeof sample);
    rows.y.push_back(-1);
  }

  Rows rows;

 private:
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
};

Rows three_blobs(std::uint64_t seed) {
  Blobs blobs(seed);
  blobs.add(600, {0, 0, 0, 0});
  blobs.add(400, {12, 0, 12, 0});
  blobs.add(200, {0, 12, 0, 12});
  return blobs.rows;
}

struct Answer {
  float distance = 0, anomalous = 0, cluster = 0;
};

class KMeans : public ::testing::Test {
 protected:
  KMeans() {
    pipeline.name = PipelineName("blobs");
    pipeline.train.recipe = Recipe::kmeans;
    job.id = JobId("job-1");
    job.pipeline = pipeline.name;
    job.seed = 3;
  }
  Result<TrainOutcome> run(const Rows& rows) {
    pipeline.signal = rows.signal;
    return train(job, pipeline, rows, std::nullopt, "here", clock, [](const wire::ProgressPoint&) { return false; });
  }
  std::vector<Answer> answers(const Bytes& onnx, const Rows& rows) {
    const auto runtime = model::make_onnx_runtime();
    EXPECT_TRUE(runtime) << runtime.error().context;
    const auto runner = (*runtime)->load(onnx, rows.signal);
    EXPECT_TRUE(runner) << runner.error().context;
    if (!runner || (*runner)->width() != 3) return {};
    std::vector<Answer> result(rows.rows());
    const auto ran = (*runner)->run(rows.x, static_cast<std::int64_t>(rows.rows()), {&result[0].distance, 3 * rows.rows()});
    EXPECT_TRUE(ran) << ran.error().context;
    return result;
  }

  Pipeline pipeline;
  wire::Job job;
  platform::SimClock clock{from_unix_ms(0)};
};

TEST_F(KMeans, FindsHowManyClustersThereAreAndWhichSampleIsInWhich) {
  const Rows rows = three_blobs(1);
  const auto outcome = run(rows);
  ASSERT_TRUE(outcome) << outcome.error().context;
  EXPECT_EQ(outcome->message.lineage["clusters"], 3);
  EXPECT_GT(outcome->message.validation_metric, 0.7);
  const std::vector<Answer> found = answers(outcome->onnx, rows);
  ASSERT_EQ(found.size(), 1200u);
  for (std::size_t row = 0; row < found.size(); ++row)  // the largest cluster is the first
    ASSERT_EQ(found[row].cluster, row < 600 ? 0 : row < 1000 ? 1 : 2) << row;
}

TEST_F(KMeans, CallsTheAskedShareOfTheTrainingSamplesAnomalous) {
  pipeline.train.anomaly.threshold = 0.95;
  const Rows rows = three_blobs(1);
  const auto outcome = run(rows);
  ASSERT_TRUE(outcome);
  std::int64_t anomalous = 0;
  for (const Answer& answer : answers(outcome->onnx, rows)) anomalous += answer.anomalous == 1 ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(anomalous), 60, 1);
}

TEST_F(KMeans, KeepsABudgetOfAlarmsOnSamplesThatItHasNotSeen) {
  pipeline.rate_hz = 1;
  pipeline.train.anomaly.alarms_per_day = 86.4;  // one window in a thousand
  const auto outcome = run(three_blobs(1));
  ASSERT_TRUE(outcome) << outcome.error().context;
  EXPECT_TRUE(outcome->message.lineage["threshold_extrapolated"].get<bool>());
  std::int64_t alarms = 0;
  for (std::uint64_t seed = 2; seed <= 11; ++seed)
    for (const Answer& answer : answers(outcome->onnx, three_blobs(seed))) alarms += answer.anomalous == 1 ? 1 : 0;
  EXPECT_LE(alarms, 40);  // 12 of 12,000 expected, from the tail of 1,200 samples
}

TEST_F(KMeans, IsNotLedAstrayByAnomaliesAmongItsSamples) {
  Blobs blobs(1);
  blobs.rows = three_blobs(1);
  blobs.add(60, {400, -400, 300, -300}, 80);  // a group of its own, but less than 5% of all
  const auto outcome = run(blobs.rows);
  ASSERT_TRUE(outcome) << outcome.error().context;
  EXPECT_EQ(outcome->message.lineage["clusters"], 3);
  const std::vector<Answer> found = answers(outcome->onnx, blobs.rows);
  ASSERT_EQ(found.size(), 1260u);
  float farthest = 0;
  for (std::size_t row = 0; row < 1200; ++row) farthest = std::max(farthest, found[row].distance);
  for (std::size_t row = 1200; row < 1260; ++row) EXPECT_GT(found[row].distance, farthest);
}

TEST_F(KMeans, IsRepeatable) {
  const Rows rows = three_blobs(1);
  const auto one = run(rows), two = run(rows);
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->onnx, two->onnx);
}

TEST_F(KMeans, SaysWhenNoNumberOfClustersIsSound) {
  Blobs blobs(1);
  for (int i = 0; i < 100; ++i) blobs.push({1, 2, 3, 4});  // a device that is stuck
  const auto outcome = run(blobs.rows);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::invalid);
  EXPECT_THAT(outcome.error().context, HasSubstr("lower train.min_cluster"));
}

TEST_F(KMeans, LeavesSamplesOutThatHoldNoNumberAndCallsThemAnomalous) {
  constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  Blobs blobs(1);
  blobs.rows = three_blobs(1);
  blobs.push({kNone, kNone, kNone, kNone});
  const auto outcome = run(blobs.rows);
  ASSERT_TRUE(outcome) << outcome.error().context;
  EXPECT_EQ(outcome->message.lineage["rows_without_a_number"], 1);
  const auto found = answers(outcome->onnx, blobs.rows);
  ASSERT_EQ(found.size(), 1201u);
  EXPECT_EQ(found.back().anomalous, 1);
}

TEST_F(KMeans, RefusesTooFewSamplesAndABudgetWithoutARate) {
  Blobs few(1);
  few.add(10, {0, 0, 0, 0});
  EXPECT_THAT(run(few.rows).error().context, HasSubstr("there are 10 samples to cluster"));
  pipeline.train.anomaly.alarms_per_day = 5;
  EXPECT_THAT(run(three_blobs(1)).error().context, HasSubstr("signal.rate_hz"));
}

TEST_F(KMeans, StopsWhenItIsTold) {
  const Rows rows = three_blobs(1);
  pipeline.signal = rows.signal;
  int calls = 0;
  const auto outcome = train(job, pipeline, rows, std::nullopt, "here", clock,
                             [&](const wire::ProgressPoint&) { return ++calls == 3; });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::cancelled);
  EXPECT_EQ(calls, 3);
}

// Two tones that differ in frequency only, at random phases: no centroid of the values tells them apart.
TEST_F(KMeans, TellsFrequenciesApartByTheSpectrum) {
  Rows rows;
  rows.signal.shape = {64};
  rows.signal.dtype = wire::DType::int16;
  rows.signal.scale = 1.0 / 1000;
  std::mt19937_64 random(5);
  for (int row = 0; row < 400; ++row) {
    const double phase = static_cast<double>(random() % 1000) * 0.00628, cycles = row % 2 == 0 ? 5 : 11;
    for (int t = 0; t < 64; ++t) {
      const double noise = static_cast<double>(random() % 200) - 100;
      const auto value = static_cast<std::int16_t>(1000 * std::sin(phase + 2 * 3.14159265 * cycles * t / 64) + noise);
      rows.x.push_back(static_cast<std::uint8_t>(value & 0xff));
      rows.x.push_back(static_cast<std::uint8_t>((value >> 8) & 0xff));
    }
    rows.y.push_back(-1);
  }
  pipeline.train.kmeans.spectrum = true;
  const auto outcome = run(rows);
  ASSERT_TRUE(outcome) << outcome.error().context;
  EXPECT_EQ(outcome->message.lineage["clusters"], 2);
  const auto found = answers(outcome->onnx, rows);
  ASSERT_EQ(found.size(), 400u);
  for (std::size_t row = 2; row < found.size(); ++row) ASSERT_EQ(found[row].cluster, found[row % 2].cluster) << row;
  EXPECT_NE(found[0].cluster, found[1].cluster);
}

// What the recipe computes, word by word in double from the file's own numbers, for any cut and signal.
struct Expected {
  double distance = 0, anomalous = 0;
  std::int64_t cluster = 0;
};

Expected by_definition(const ClusterModel& model, const wire::Signal& signal, const WindowCut& cut, bool spectrum,
                       const std::int16_t* sample) {
  const std::int64_t length = signal.shape.back(), channels = static_cast<std::int64_t>(signal.elements()) / length;
  Expected result{-1, 0, 0};
  for (std::int64_t w = 0; w < cut.count; ++w) {
    std::vector<double> features;
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::int16_t* x = sample + c * length + w * cut.stride;
      if (!spectrum)
        for (std::int64_t i = 0; i < cut.window; ++i) features.push_back(x[i] * signal.scale);
      for (std::int64_t bin = 0; spectrum && bin <= cut.window / 2; ++bin) {
        double real = 0, imaginary = 0;
        for (std::int64_t t = 0; t < cut.window; ++t) {
          const double turn = 2 * std::numbers::pi * static_cast<double>(t) / static_cast<double>(cut.window);
          const double value = x[t] * signal.scale * 0.5 * (1 - std::cos(turn));
          real += value * std::cos(turn * static_cast<double>(bin));
          imaginary += value * std::sin(turn * static_cast<double>(bin));
        }
        features.push_back(std::hypot(real, imaginary));
      }
    }
    double least = std::numeric_limits<double>::infinity();
    std::int64_t nearest = 0;
    for (std::int64_t k = 0; k < model.clusters; ++k) {
      double square = 0;
      for (std::size_t f = 0; f < features.size(); ++f) {
        const double scaled = std::clamp((features[f] - model.center[f]) * model.inverse_spread[f],
                                         -static_cast<double>(model.clip), static_cast<double>(model.clip));
        const double away = scaled - model.centroids[static_cast<std::size_t>(k) * features.size() + f];
        square += away * away;
      }
      if (square < least) {
        least = square;
        nearest = k;
      }
    }
    if (std::sqrt(least) > result.distance) {
      result.distance = std::sqrt(least);
      result.cluster = nearest;
    }
  }
  result.anomalous = result.distance > model.threshold ? 1 : 0;
  return result;
}

TEST(ClusterOnnx, CutsWindowsFromARecordAndAnswersForTheFarthest) {
  std::mt19937_64 random(4);
  std::normal_distribution<float> normal;
  const auto runtime = model::make_onnx_runtime();
  ASSERT_TRUE(runtime) << runtime.error().context;
  for (const std::int64_t channels : {1, 3})
    for (const RecordWindows windows : {RecordWindows{8, 8}, RecordWindows{8, 3}, RecordWindows{40, 1}, RecordWindows{12, 50}})
      for (const bool spectrum : {false, true}) {
        SCOPED_TRACE(std::to_string(channels) + " channels, window " + std::to_string(windows.window) + ", spectrum " + std::to_string(spectrum));
        wire::Signal signal;
        signal.shape = {channels, 40};
        if (channels == 1) signal.shape = {40};
        signal.dtype = wire::DType::int16;
        signal.scale = 0.01;
        const WindowCut cut = window_cut(signal, windows);
        ClusterModel model;
        model.clusters = 3;
        const std::int64_t features = feature_count(signal, cut, spectrum);
        for (std::int64_t f = 0; f < features; ++f) {
          model.center.push_back(normal(random));
          model.inverse_spread.push_back(0.5F + std::abs(normal(random)));
        }
        for (std::int64_t f = 0; f < 3 * features; ++f) model.centroids.push_back(normal(random));

        constexpr std::size_t kRecords = 50;
        std::vector<std::int16_t> records(kRecords * signal.elements());
        for (std::int16_t& value : records) value = static_cast<std::int16_t>(300 * normal(random));
        model.threshold = static_cast<float>(by_definition(model, signal, cut, spectrum, records.data()).distance * 1.001);
        const auto onnx = write_cluster_onnx(signal, cut, spectrum, model, {});
        ASSERT_TRUE(onnx) << onnx.error().context;
        const auto runner = (*runtime)->load(*onnx, signal);
        ASSERT_TRUE(runner) << runner.error().context;
        std::vector<Answer> found(kRecords);
        const ByteView raw(reinterpret_cast<const std::uint8_t*>(records.data()), records.size() * 2);
        const auto ran = (*runner)->run(raw, kRecords, {&found[0].distance, 3 * kRecords});
        ASSERT_TRUE(ran) << ran.error().context;
        for (std::size_t i = 0; i < kRecords; ++i) {
          const Expected expected = by_definition(model, signal, cut, spectrum, records.data() + i * signal.elements());
          ASSERT_NEAR(found[i].distance, expected.distance, 1e-4 * expected.distance) << i;
          ASSERT_EQ(found[i].anomalous, expected.anomalous) << i;
          ASSERT_EQ(found[i].cluster, expected.cluster) << i;
        }
      }
}

// A tone with, in some records, a short burst of another one: too short to be seen in the record as a whole.
TEST_F(KMeans, FindsTheRecordsThatHoldOneStrangeWindow) {
  Rows rows;
  rows.signal.shape = {256};
  rows.signal.dtype = wire::DType::int16;
  rows.signal.scale = 1.0 / 1000;
  std::mt19937_64 random(5);
  std::vector<bool> strange;
  for (int row = 0; row < 300; ++row) {
    strange.push_back(row % 60 == 7);
    const double phase = static_cast<double>(random() % 1000) * 0.00628;
    const int burst = static_cast<int>(random() % 200);
    for (int t = 0; t < 256; ++t) {
      const bool within = strange.back() && t >= burst && t < burst + 32;
      const double noise = static_cast<double>(random() % 200) - 100;
      const double cycles = within ? 0.31 : row % 2 == 0 ? 0.05 : 0.1;
      const auto value = static_cast<std::int16_t>(1000 * std::sin(phase + 2 * std::numbers::pi * cycles * t) + noise);
      rows.x.push_back(static_cast<std::uint8_t>(value & 0xff));
      rows.x.push_back(static_cast<std::uint8_t>((value >> 8) & 0xff));
    }
    rows.y.push_back(-1);
  }
  pipeline.windows = RecordWindows{32, 16};
  pipeline.train.kmeans.spectrum = true;
  pipeline.train.anomaly.threshold = 1 - 5.0 / 300;
  const auto outcome = run(rows);
  ASSERT_TRUE(outcome) << outcome.error().context;
  EXPECT_EQ(outcome->message.lineage["clusters"], 2);
  const auto found = answers(outcome->onnx, rows);
  ASSERT_EQ(found.size(), 300u);
  for (std::size_t row = 0; row < found.size(); ++row) EXPECT_EQ(found[row].anomalous == 1, strange[row]) << row;
}

TEST(ClusterOnnx, RefusesWindowsThatDoNotFitIntoARecord) {
  wire::Signal signal;
  signal.shape = {6};
  ClusterModel model;
  model.center = model.inverse_spread = {1, 1};
  model.clusters = 1;
  model.centroids = {0, 0};
  EXPECT_TRUE(write_cluster_onnx(signal, {2, 2, 3}, false, model, {}));
  EXPECT_EQ(write_cluster_onnx(signal, {2, 2, 4}, false, model, {}).error().code, Code::invalid);
}

TEST(Spectrum, IsTheFourierTransformOfTheHannWindowedSamples) {
  const Spectrum spectrum = spectrum_of(8);
  ASSERT_EQ(spectrum.bins, 5);
  // A cosine of two cycles: a quarter of the window's sum, 8 * 0.5 / 2 = 2, stands in bin 2 and half of it beside.
  std::array<double, 5> real{};
  for (int t = 0; t < 8; ++t)
    for (std::size_t bin = 0; bin < 5; ++bin)
      real[bin] += std::cos(2 * 3.14159265358979 * 2 * t / 8) * spectrum.cosines[static_cast<std::size_t>(t) * 5 + bin];
  EXPECT_NEAR(real[2], 2, 1e-5);
  EXPECT_NEAR(std::abs(real[1]), 1, 1e-5);
  EXPECT_NEAR(std::abs(real[3]), 1, 1e-5);
  EXPECT_NEAR(real[0], 0, 1e-5);
}

TEST(ClusterOnnx, RefusesAModelOfAnotherSignal) {
  wire::Signal signal;
  signal.shape = {3};
  ClusterModel model;
  model.center = model.inverse_spread = {1, 1};
  model.clusters = 1;
  model.centroids = {0, 0};
  EXPECT_EQ(write_cluster_onnx(signal, window_cut(signal, std::nullopt), false, model, {}).error().code, Code::invalid);
}

}  // namespace
}  // namespace hone::trainer
