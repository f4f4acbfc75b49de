#include "measure.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "shared/metrics/accuracy.hpp"
#include "shared/metrics/paired_gain.hpp"
#include "shared/metrics/reconstruction.hpp"
#include "shared/metrics/silhouette.hpp"
#include "shared/wire/sample_values.hpp"

namespace hone::app {
namespace {

constexpr std::size_t kRowsAtOnce = 256;
constexpr std::size_t kClusterAnswerWidth = 3;  // of the output anomaly: distance, anomalous, cluster
constexpr float kClustersMax = 65536;

// The rows that have a label, and what the model said about them.
struct Answers {
  std::vector<std::int32_t> labels;
  std::vector<float> scores;  // labels.size() * width
  std::int64_t width = 0;
};

Result<Answers> ask(const model::Runner& runner, const wire::Signal& signal, const samples::Samples& samples, const OnRows& on_rows) {
  const std::size_t sample_bytes = signal.sample_bytes();
  Answers answers;
  answers.width = runner.width();
  const auto width = static_cast<std::size_t>(answers.width);
  std::vector<float> scores;
  for (std::size_t first = 0; first < samples.rows(); first += kRowsAtOnce) {
    const std::size_t rows = std::min(kRowsAtOnce, samples.rows() - first);
    scores.resize(rows * width);
    const ByteView inputs = ByteView(samples.x).subspan(first * sample_bytes, rows * sample_bytes);
    HONE_CHECK(runner.run(inputs, static_cast<std::int64_t>(rows), scores));
    for (std::size_t i = 0; i < rows; ++i) {
      if (samples.y[first + i] == samples::kNoLabel) continue;
      answers.labels.push_back(static_cast<std::int32_t>(samples.y[first + i]));
      answers.scores.insert(answers.scores.end(), scores.begin() + static_cast<std::ptrdiff_t>(i * width),
                            scores.begin() + static_cast<std::ptrdiff_t>((i + 1) * width));
    }
    if (on_rows) on_rows(first + rows, samples.rows());
  }
  if (answers.labels.empty()) return fail(Code::invalid, samples.source + ": no row has a label");
  return answers;
}

std::string name_of_label(const wire::Signal& signal, std::size_t label) {
  return label < signal.labels.size() ? signal.labels[label] : std::to_string(label);
}

Result<Json> classifier_figures(const std::string& metric, const wire::Signal& signal, const Answers& answers) {
  const auto classes = static_cast<std::size_t>(answers.width);
  const auto largest = static_cast<std::size_t>(*std::max_element(answers.labels.begin(), answers.labels.end()));
  if (largest >= classes)
    return fail(Code::invalid, "the data has the label " + name_of_label(signal, largest) + " (" + std::to_string(largest) +
                                   "), the model gives " + std::to_string(classes) + " scores a row");
  const auto said = metrics::argmax_rows(answers.scores, answers.width);
  std::vector<std::int64_t> of_label(classes), right_of_label(classes);
  std::int64_t right = 0;
  for (std::size_t i = 0; i < said.size(); ++i) {
    const auto label = static_cast<std::size_t>(answers.labels[i]);
    const std::int64_t hit = said[i] == answers.labels[i] ? 1 : 0;
    ++of_label[label];
    right += hit;
    right_of_label[label] += hit;
  }
  Json labels = Json::array();
  for (std::size_t label = 0; label < classes; ++label)
    labels.push_back({{"label", name_of_label(signal, label)}, {"rows", of_label[label]}, {"right", right_of_label[label]}});
  const double value = metric == "f1" ? metrics::f1(answers.labels, std::vector<double>(said.begin(), said.end()), static_cast<std::int32_t>(classes))
                                      : static_cast<double>(right) / static_cast<double>(said.size());
  return Json{{"value", value}, {"right", right}, {"labels", std::move(labels)}};
}

// The score of label 1 against 0; of a model with one score, or one that scores anomalies, that score.
Result<Json> ranking_figures(const Answers& answers, bool anomalies) {
  if (answers.width > 2 && !anomalies)
    return fail(Code::invalid, "auc needs a model of one score, or of two labels; this one gives " + std::to_string(answers.width) + " scores a row");
  std::vector<double> scores;
  for (std::size_t at = 0; at < answers.scores.size(); at += static_cast<std::size_t>(answers.width))
    scores.push_back(answers.width == 1 || anomalies ? static_cast<double>(answers.scores[at])
                                        : static_cast<double>(answers.scores[at + 1]) - static_cast<double>(answers.scores[at]));
  if (std::any_of(scores.begin(), scores.end(), [](double score) { return std::isnan(score); }))
    return fail(Code::invalid, "the model gives a score that is no number");
  const auto positives = std::count(answers.labels.begin(), answers.labels.end(), 1);
  const auto negatives = std::count(answers.labels.begin(), answers.labels.end(), 0);
  if (positives == 0 || negatives == 0 || static_cast<std::size_t>(positives + negatives) != answers.labels.size())
    return fail(Code::invalid, "auc needs rows of the labels 0 and 1, and of no other; the data has " + std::to_string(negatives) +
                                   ", " + std::to_string(positives) + " and " +
                                   std::to_string(static_cast<std::ptrdiff_t>(answers.labels.size()) - positives - negatives) + " others");
  return Json{{"value", metrics::auc(answers.labels, scores)}, {"positives", positives}, {"negatives", negatives}};
}

Json of_clusters(const std::vector<std::int64_t>& sizes, const std::vector<double>& values) {
  Json clusters = Json::array();
  for (std::size_t cluster = 0; cluster < sizes.size(); ++cluster)
    clusters.push_back({{"rows", sizes[cluster]}, {"value", values[cluster]}});
  return clusters;
}

// Above so many rows estimated, as the trainer does it.
Result<Json> estimated_silhouette(metrics::Matrix<float> features, const std::vector<std::int32_t>& clusters,
                                  std::int64_t exact_rows_max) {
  metrics::SilhouetteSampling sampling;
  sampling.exact_rows_max = exact_rows_max;
  sampling.sample_rows = std::min(sampling.sample_rows, exact_rows_max);
  HONE_TRY(const metrics::SilhouetteEstimate estimate, metrics::estimate_silhouette(features, clusters, sampling));
  return Json{{"value", estimate.mean},
              {"clusters", of_clusters(estimate.sizes, estimate.clusters)},
              {"rows", clusters.size()},
              {"rows_measured", estimate.rows_measured},
              {"silhouette_bounds", {estimate.bounds.lower, estimate.bounds.upper}}};
}

// Clusters and features of all rows, labelled or not.
Result<Json> cluster_figures(const model::Runner& runner, const wire::Signal& signal, const samples::Samples& samples,
                             std::int64_t silhouette_rows, const OnRows& on_rows) {
  if (!runner.scores_anomalies() || runner.width() != kClusterAnswerWidth || runner.further_width() == 0)
    return fail(Code::invalid, "silhouette needs a k-means model: an output anomaly [N, 3] and one named features");
  const auto width = static_cast<std::size_t>(runner.further_width());
  const std::size_t sample_bytes = signal.sample_bytes();
  std::vector<float> answers, features(samples.rows() * width);
  std::vector<std::int32_t> clusters;
  for (std::size_t first = 0; first < samples.rows(); first += kRowsAtOnce) {
    const std::size_t rows = std::min(kRowsAtOnce, samples.rows() - first);
    answers.resize(rows * kClusterAnswerWidth);
    const ByteView inputs = ByteView(samples.x).subspan(first * sample_bytes, rows * sample_bytes);
    HONE_CHECK(runner.run(inputs, static_cast<std::int64_t>(rows), answers,
                          std::span(features).subspan(first * width, rows * width)));
    for (std::size_t i = 0; i < rows; ++i) {
      const float cluster = answers[i * kClusterAnswerWidth + 2];
      if (!(cluster >= 0 && cluster < kClustersMax))
        return fail(Code::invalid, "the model gives row " + std::to_string(first + i) + " a cluster that is none");
      clusters.push_back(static_cast<std::int32_t>(cluster));
    }
    if (on_rows) on_rows(first + rows, samples.rows());
  }
  const metrics::Matrix<float> matrix{features, static_cast<std::int64_t>(samples.rows()), runner.further_width()};
  if (silhouette_rows > 0 && matrix.rows > silhouette_rows)
    return estimated_silhouette(matrix, clusters, silhouette_rows);
  HONE_TRY(const metrics::Silhouette silhouette, metrics::silhouette(matrix, clusters));
  return Json{{"value", silhouette.mean},
              {"clusters", of_clusters(silhouette.sizes, silhouette.clusters)},
              {"rows", clusters.size()}};
}

// The spreads of the first rows, as many as the bound allows.
std::vector<double> spreads_of(const wire::Signal& signal, const samples::Samples& samples) {
  const std::size_t rows = std::min(samples.rows(), metrics::kSpreadValuesMax / signal.elements() + 1);
  std::vector<float> values;
  wire::append_values(signal.dtype, ByteView(samples.x).first(rows * signal.sample_bytes()), values);
  return metrics::spreads_of(values, signal.elements());
}

// What is given back of all rows, labelled or not.
Result<Json> reconstruction_figures(const model::Runner& runner, const wire::Signal& signal,
                                    const samples::Samples& samples, const OnRows& on_rows) {
  const std::size_t elements = signal.elements(), sample_bytes = signal.sample_bytes();
  if (runner.further_width() != static_cast<std::int64_t>(elements))
    return fail(Code::invalid, "reconstruction needs an autoencoder: an output named reconstruction of " +
                                   std::to_string(elements) + " numbers a row");
  if (samples.rows() == 0) return fail(Code::invalid, samples.source + ": there are no rows");
  const std::vector<double> spreads = spreads_of(signal, samples);
  std::vector<float> answers, given_back, raw;
  double sum = 0;
  for (std::size_t first = 0; first < samples.rows(); first += kRowsAtOnce) {
    const std::size_t rows = std::min(kRowsAtOnce, samples.rows() - first);
    answers.resize(rows * static_cast<std::size_t>(runner.width()));
    given_back.resize(rows * elements);
    const ByteView inputs = ByteView(samples.x).subspan(first * sample_bytes, rows * sample_bytes);
    HONE_CHECK(runner.run(inputs, static_cast<std::int64_t>(rows), answers, given_back));
    raw.clear();
    wire::append_values(signal.dtype, inputs, raw);
    for (std::size_t at = 0; at < raw.size(); at += elements)
      sum += metrics::explained(std::span(raw).subspan(at, elements), signal.scale,
                                std::span(given_back).subspan(at, elements), spreads);
    if (on_rows) on_rows(first + rows, samples.rows());
  }
  return Json{{"value", sum / static_cast<double>(samples.rows())}, {"rows", samples.rows()}};
}

Result<Json> label_figures(const std::string& metric, const model::Runner& runner, const wire::Signal& signal,
                           const samples::Samples& samples, const OnRows& on_rows) {
  HONE_CHECK(check_metric(metric, runner));
  HONE_TRY(const Answers answers, ask(runner, signal, samples, on_rows));
  HONE_TRY(Json figures, metric == "auc" ? ranking_figures(answers, runner.scores_anomalies()) : classifier_figures(metric, signal, answers));
  figures["rows"] = answers.labels.size();
  return figures;
}

Result<Json> figures_of(const std::string& metric, const model::Runner& runner, const wire::Signal& signal,
                        const samples::Samples& samples, std::int64_t silhouette_rows, const OnRows& on_rows) {
  if (metric == "silhouette") return cluster_figures(runner, signal, samples, silhouette_rows, on_rows);
  if (metric == "reconstruction") return reconstruction_figures(runner, signal, samples, on_rows);
  return label_figures(metric, runner, signal, samples, on_rows);
}

}  // namespace

std::string metric_of(const model::Runner& runner) {
  if (!runner.scores_anomalies()) return "accuracy";
  return runner.width() == kClusterAnswerWidth ? "silhouette" : "reconstruction";
}

// The columns of a model that scores anomalies are no scores of labels: argmax would compare a distance with 0 or 1.
Result<> check_metric(const std::string& metric, const model::Runner& runner) {
  if (!runner.scores_anomalies() || (metric != "accuracy" && metric != "f1")) return {};
  return fail(Code::invalid, metric + " compares scores of labels, and this model scores anomalies; measure auc, which " +
                                 "needs the labels 0 and 1, or " + metric_of(runner) + ", which needs none");
}

bool needs_labels(std::string_view metric) { return metric != "silhouette" && metric != "reconstruction"; }

std::string_view further_output_for(std::string_view metric) {
  if (metric == "silhouette") return "features";
  return metric == "reconstruction" ? metric : "";
}

Result<Json> measure(const std::string& metric, const model::Runner& runner, const wire::Signal& signal, const samples::Samples& samples,
                     std::int64_t silhouette_rows, const OnRows& on_rows) {
  HONE_TRY(Json figures, figures_of(metric, runner, signal, samples, silhouette_rows, on_rows));
  figures["metric"] = metric;
  return figures;
}

}  // namespace hone::app
