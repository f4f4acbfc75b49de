// k-means as it is by default, on sets of which it is known what stands out. Labels are used for the
// AUC only. tools/setup fetches the data; without it these tests are skipped.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <string>

#include "platform/sim/sim.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/wire/npy.hpp"
#include "trainer/kmeans/testing_auc.hpp"
#include "trainer/train.hpp"

namespace hone::trainer {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(HONE_SOURCE_DIR) / "out/data/mlbench";

Bytes file_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Labelled {
  Rows rows;
  std::vector<bool> stands_out;
};

// The rows of the classes in `ordinary` and in `strange`; the others are left out.
Labelled load(const std::string& name, const std::set<std::int64_t>& ordinary, const std::set<std::int64_t>& strange) {
  const Bytes x = file_bytes(kFolder / name / "x.npy"), y = file_bytes(kFolder / name / "y.npy");
  const auto x_header = wire::parse_npy(x, x.size()), y_header = wire::parse_npy(y, y.size());
  Labelled result;
  if (!x_header || !y_header || x_header->descr != "<f4" || y_header->descr != "<i8") return result;
  result.rows.signal.shape = {x_header->shape[1]};
  result.rows.signal.dtype = wire::DType::float32;
  const std::size_t sample_bytes = result.rows.signal.sample_bytes();
  for (std::size_t row = 0; row < static_cast<std::size_t>(x_header->shape[0]); ++row) {
    std::int64_t label = 0;
    std::memcpy(&label, y.data() + y_header->data_offset + row * sizeof label, sizeof label);
    if (!ordinary.contains(label) && !strange.contains(label)) continue;
    const auto sample = x.begin() + static_cast<std::ptrdiff_t>(x_header->data_offset + row * sample_bytes);
    result.rows.x.insert(result.rows.x.end(), sample, sample + static_cast<std::ptrdiff_t>(sample_bytes));
    result.rows.y.push_back(-1);
    result.stands_out.push_back(strange.contains(label));
  }
  return result;
}

// Trained on all rows, with the anomalies among them and nobody telling, and scored by the runtime.
double auc_of(const Labelled& data, std::int64_t clusters_min, std::int64_t clusters_max) {
  Pipeline pipeline;
  pipeline.name = PipelineName("real");
  pipeline.signal = data.rows.signal;
  pipeline.train.recipe = Recipe::kmeans;
  pipeline.train.kmeans.clusters_min = clusters_min;
  pipeline.train.kmeans.clusters_max = clusters_max;
  pipeline.train.kmeans.silhouette_rows = 2000;
  wire::Job job;
  job.seed = 1;
  const platform::SimClock clock{from_unix_ms(0)};
  const auto outcome =
      train(job, pipeline, data.rows, std::nullopt, "here", clock, [](const wire::ProgressPoint&) { return false; });
  EXPECT_TRUE(outcome) << outcome.error().context;
  if (!outcome) return 0;
  const auto runtime = model::make_onnx_runtime();
  const auto runner = (*runtime)->load(outcome->onnx, pipeline.signal);
  EXPECT_TRUE(runner) << runner.error().context;
  std::vector<float> answers(3 * data.rows.rows()), distances;
  EXPECT_TRUE((*runner)->run(data.rows.x, static_cast<std::int64_t>(data.rows.rows()), answers));
  for (std::size_t row = 0; row < data.rows.rows(); ++row) distances.push_back(answers[3 * row]);
  const double value = testing::auc(distances, data.stands_out);
  std::cout << outcome->message.lineage["clusters"] << " clusters, silhouette "
            << outcome->message.lineage["silhouette"] << ", AUC " << value << "\n";
  return value;
}

class KMeansOnRealData : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kFolder / "shuttle/x.npy"))
      GTEST_SKIP() << kFolder << " is not there: tools/setup fetches it";
  }
};

// The outlier set of the literature: class 4 (High) is left out, 1 is ordinary, the others stand out.
TEST_F(KMeansOnRealData, FindsTheAnomaliesOfShuttleForAnySoundNumberOfClusters) {
  const Labelled data = load("shuttle", {0}, {1, 2, 4, 5, 6});
  ASSERT_EQ(data.rows.rows(), 49097u);
  for (std::int64_t clusters = 2; clusters <= 4; ++clusters) EXPECT_GT(auc_of(data, clusters, clusters), 0.999);
}

// Cotton crop, damp grey soil and vegetation stubble are the three smallest of the six classes.
TEST_F(KMeansOnRealData, StandsUpOnSatellite) {
  const Labelled data = load("satellite", {0, 2, 5}, {1, 3, 4});
  ASSERT_EQ(data.rows.rows(), 6435u);
  EXPECT_GT(auc_of(data, 2, 8), 0.7);
}

TEST_F(KMeansOnRealData, StandsUpOnIonosphere) {
  const Labelled data = load("ionosphere", {1}, {0});
  ASSERT_EQ(data.rows.rows(), 351u);
  EXPECT_GT(auc_of(data, 2, 8), 0.84);
}

}  // namespace
}  // namespace hone::trainer
