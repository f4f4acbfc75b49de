#include "cloud/service/answers.hpp"

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "cloud/gate/evaluate.hpp"
#include "cloud/service/holdout.hpp"
#include "cloud/service/reconstruction.hpp"

namespace hone::cloud {
namespace {

constexpr std::int64_t kRowsAtOnce = 256;
// Of the output `anomaly`: the score, 1 or 0 for anomalous or not, the cluster.
constexpr std::int64_t kAnomalyWidth = 3;

using TakeOutputs = std::function<Result<>(std::span<const float> outputs, std::span<const float> further,
                                           std::int64_t rows)>;

// The outputs of all holdout rows, block by block.
Result<> run_all(const Asking& asking, const model::Runner& runner, const TakeOutputs& take) {
  std::vector<float> outputs(static_cast<std::size_t>(kRowsAtOnce * runner.width()));
  std::vector<float> further(static_cast<std::size_t>(kRowsAtOnce * runner.further_width()));
  return read_rows(asking.blobs, asking.dataset.holdout, asking.dataset.signal.sample_bytes(), kRowsAtOnce,
                   [&](ByteView x, std::int64_t rows) -> Result<> {
                     HONE_CHECK(runner.run(x, rows, outputs, further));
                     return take(std::span(outputs).first(static_cast<std::size_t>(rows * runner.width())),
                                 std::span(further).first(static_cast<std::size_t>(rows * runner.further_width())),
                                 rows);
                   });
}

std::vector<float> first_column(std::span<const float> outputs, std::int64_t rows) {
  const std::size_t width = outputs.size() / static_cast<std::size_t>(rows);
  std::vector<float> column;
  for (std::size_t at = 0; at < outputs.size(); at += width) column.push_back(outputs[at]);
  return column;
}

Result<std::vector<double>> ask_scores(const Asking& asking, Metric metric, const ModelHash& model) {
  HONE_TRY(const auto runner, load_model(asking, model, {}));
  const bool anomaly = runner->scores_anomalies();
  if (anomaly && metric != Metric::auc)
    return fail(Code::invalid, "the model scores anomalies and no labels, so '" + std::string(name_of(metric)) +
                                   "' cannot measure it; 'auc' can");
  std::vector<double> answers;
  HONE_CHECK(run_all(asking, *runner,
                     [&](std::span<const float> scores, std::span<const float>, std::int64_t rows) -> Result<> {
                       const std::vector<float> column = anomaly ? first_column(scores, rows) : std::vector<float>{};
                       HONE_TRY(const auto some,
                                answers_of(metric, anomaly ? column : scores, anomaly ? 1 : runner->width(),
                                           asking.dataset.signal.labels.size()));
                       answers.insert(answers.end(), some.begin(), some.end());
                       return {};
                     }));
  return answers;
}

Result<std::unique_ptr<model::Runner>> load_clustering(const Asking& asking, const ModelHash& model) {
  HONE_TRY(auto runner, load_model(asking, model, kFeaturesOutput));
  if (runner->width() != kAnomalyWidth)
    return fail(Code::invalid, "the model's first output has " + std::to_string(runner->width()) +
                                   " numbers a row; score, anomalous or not, and cluster are needed");
  return runner;
}

Result<std::vector<double>> ask_clusters(const Asking& asking, const ModelHash& model) {
  HONE_TRY(const auto runner, load_clustering(asking, model));
  std::vector<double> clusters;
  HONE_CHECK(run_all(asking, *runner,
                     [&](std::span<const float> answers, std::span<const float>, std::int64_t rows) -> Result<> {
                       for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
                         const float cluster = answers[row * kAnomalyWidth + 2];
                         if (!(cluster >= 0 && cluster < kClustersMax) || cluster != std::floor(cluster))
                           return fail(Code::invalid, "the model gave holdout row " + std::to_string(clusters.size()) +
                                                          " a cluster that is no whole number from 0 to " +
                                                          std::to_string(kClustersMax - 1));
                         clusters.push_back(cluster);
                       }
                       return {};
                     }));
  return clusters;
}

}  // namespace

Result<std::unique_ptr<model::Runner>> load_model(const Asking& asking, const ModelHash& model,
                                                  std::string_view further) {
  auto onnx = asking.blobs.get(BlobHash{model.sha256}, kModelBytesMax);
  if (!onnx) return fail(Code::unavailable, "model " + model.hex() + ": " + onnx.error().context);
  return asking.runtime.load(*onnx, asking.dataset.signal, further);
}

bool can_ask(Metric metric) { return metric != Metric::score; }

Result<std::vector<double>> ask(const Asking& asking, Metric metric, const ModelHash& model) {
  if (metric == Metric::silhouette) return ask_clusters(asking, model);
  if (metric == Metric::reconstruction) return ask_reconstruction(asking, model);
  return ask_scores(asking, metric, model);
}

Result<std::int64_t> feature_width(const Asking& asking, const ModelHash& model) {
  HONE_TRY(const auto runner, load_clustering(asking, model));
  return runner->further_width();
}

Result<Features> ask_features(const Asking& asking, const ModelHash& model, const std::vector<std::int64_t>& which) {
  HONE_TRY(const auto runner, load_clustering(asking, model));
  Features features;
  features.width = runner->further_width();
  const auto width = static_cast<std::size_t>(features.width);
  features.values.reserve(which.size() * width);
  std::int64_t first = 0;
  auto wanted = which.begin();
  HONE_CHECK(run_all(asking, *runner,
                     [&](std::span<const float>, std::span<const float> block, std::int64_t rows) -> Result<> {
                       for (; wanted != which.end() && *wanted < first + rows; ++wanted) {
                         const auto row = block.subspan(static_cast<std::size_t>(*wanted - first) * width, width);
                         features.values.insert(features.values.end(), row.begin(), row.end());
                       }
                       first += rows;
                       return {};
                     }));
  return features;
}

}  // namespace hone::cloud
