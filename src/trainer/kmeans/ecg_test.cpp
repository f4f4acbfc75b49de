// k-means on a stream that keeps its time order: five minutes of an electrocardiogram, of which nobody labelled a beat.
// It learns from the first two minutes, abnormal beats among them, and is asked about the last three. tools/setup fetches
// the signal where the distribution has it; without it the test is skipped.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "platform/sim/sim.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/wire/npy.hpp"
#include "trainer/kmeans/testing_auc.hpp"
#include "trainer/train.hpp"

namespace hone::trainer {
namespace {

constexpr double kRate = 360;
constexpr std::size_t kWindow = 128, kStride = 32;  // about a third of a second: one beat
constexpr std::size_t kTrained = 120 * 360;         // readings
// This heart has some 30,000 abnormal beats a day, and each stands out in three windows or four.
constexpr double kAlarmsPerDay = 100'000;

struct Beat {
  std::size_t sample = 0;
  bool abnormal = false;
};

// Those that are clear: tools/data/ecg.py says how they were told apart.
std::vector<Beat> clear_beats() {
  std::vector<Beat> beats;
  std::ifstream file(std::filesystem::path(HONE_SOURCE_DIR) / "tools/data/ecg_beats.csv");
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    const long width_ms = std::atol(line.c_str() + line.find(',') + 1);
    if (width_ms < 35 || width_ms > 60) beats.push_back({static_cast<std::size_t>(std::atol(line.c_str())), width_ms > 60});
  }
  return beats;
}

struct Stream {
  Bytes raw;  // int16
  [[nodiscard]] Rows windows(std::size_t from, std::size_t to, const Pipeline& pipeline) const {
    Rows rows;
    rows.signal = pipeline.signal;
    rows.stream = pipeline.stream;
    for (std::size_t at = from; at + kWindow <= to; at += kStride) {
      rows.x.insert(rows.x.end(), raw.begin() + static_cast<std::ptrdiff_t>(2 * at),
                    raw.begin() + static_cast<std::ptrdiff_t>(2 * (at + kWindow)));
      rows.y.push_back(-1);
    }
    return rows;
  }
};

TEST(KMeansOnAnElectrocardiogram, AbnormalBeatsStandOutAndAlarmsKeepTheirBudget) {
  const auto path = std::filesystem::path(HONE_SOURCE_DIR) / "out/data/ecg/x.npy";
  std::ifstream in(path, std::ios::binary);
  if (!in) GTEST_SKIP() << path << " is not there: tools/setup fetches it on Debian 12";
  const Bytes file{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto header = wire::parse_npy(file, file.size());
  ASSERT_TRUE(header) << header.error().context;
  const Stream stream{Bytes(file.begin() + static_cast<std::ptrdiff_t>(header->data_offset), file.end())};
  const std::size_t readings = stream.raw.size() / 2;

  Pipeline pipeline;
  pipeline.name = PipelineName("heart");
  pipeline.signal.shape = {static_cast<std::int64_t>(kWindow)};
  pipeline.signal.dtype = wire::DType::int16;
  pipeline.signal.scale = 1.0 / 200;
  pipeline.stream = wire::Stream{kWindow, kStride, kRate};
  pipeline.rate_hz = kRate / kStride;
  pipeline.train.recipe = Recipe::kmeans;
  pipeline.train.anomaly.alarms_per_day = kAlarmsPerDay;
  wire::Job job;
  job.seed = 1;
  const platform::SimClock clock{from_unix_ms(0)};
  const auto outcome = train(job, pipeline, stream.windows(0, kTrained, pipeline), std::nullopt, "here", clock,
                             [](const wire::ProgressPoint&) { return false; });
  ASSERT_TRUE(outcome) << outcome.error().context;

  const Rows later = stream.windows(kTrained, readings, pipeline);
  const auto runtime = model::make_onnx_runtime();
  const auto runner = (*runtime)->load(outcome->onnx, pipeline.signal);
  ASSERT_TRUE(runner) << runner.error().context;
  std::vector<float> answers(3 * later.rows());
  ASSERT_TRUE((*runner)->run(later.x, static_cast<std::int64_t>(later.rows()), answers));

  double alarms = 0;
  for (std::size_t row = 0; row < later.rows(); ++row) alarms += answers[3 * row + 1];
  const double per_day = alarms / static_cast<double>(later.rows()) * *pipeline.rate_hz * 86400;

  // A beat scores what the farthest window that holds its peak does.
  std::vector<float> scores;
  std::vector<bool> abnormal;
  int flagged = 0, false_alarms = 0;
  for (const Beat& beat : clear_beats()) {
    if (beat.sample < kTrained + kWindow) continue;
    const std::size_t peak = beat.sample - kTrained;
    const std::size_t first = (peak - kWindow) / kStride + 1, last = std::min(peak / kStride, later.rows() - 1);
    float score = 0, alarm = 0;
    for (std::size_t row = first; row <= last; ++row) {
      score = std::max(score, answers[3 * row]);
      alarm = std::max(alarm, answers[3 * row + 1]);
    }
    scores.push_back(score);
    abnormal.push_back(beat.abnormal);
    if (alarm == 1) ++(beat.abnormal ? flagged : false_alarms);
  }
  const auto count = std::count(abnormal.begin(), abnormal.end(), true);
  const double area = testing::auc(scores, abnormal);
  std::cout << outcome->message.lineage["clusters"] << " clusters, AUC " << area << ", flagged " << flagged << " of "
            << count << " abnormal beats and " << false_alarms << " of "
            << static_cast<std::ptrdiff_t>(abnormal.size()) - count << " ordinary ones, " << per_day
            << " alarms a day of " << kAlarmsPerDay << "\n";
  EXPECT_GT(count, 60);
  EXPECT_GT(area, 0.97);
  EXPECT_GT(flagged, count / 3);  // a budget kept with 95% confidence, learned in two minutes, is not used up
  EXPECT_LE(false_alarms, 4);
  EXPECT_LE(per_day, kAlarmsPerDay);
}

}  // namespace
}  // namespace hone::trainer
