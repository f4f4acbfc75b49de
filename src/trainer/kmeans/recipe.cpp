#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "shared/metrics/silhouette.hpp"
#include "trainer/kmeans/cluster_onnx.hpp"
#include "trainer/kmeans/cpu_rows.hpp"
#include "trainer/kmeans/device_silhouette.hpp"
#include "trainer/kmeans/features.hpp"
#include "trainer/kmeans/lloyd.hpp"
#include "trainer/kmeans/nearest.hpp"
#include "trainer/kmeans/torch_rows.hpp"
#include "trainer/libtorch_wall.hpp"
#include "trainer/recipe.hpp"
#include "trainer/row_tensors.hpp"
#include "trainer/threads.hpp"
#include "trainer/threshold.hpp"

namespace hone::trainer {
namespace {

constexpr std::int64_t kRowsMin = 20;
constexpr std::int64_t kSilhouetteSampleRowsMax = 4000;
constexpr std::int64_t kDeviceRows = 100;  // exact on a GPU: so many times as many rows as the pipeline says

std::unique_ptr<ClusterRows> rows_of(const at::Tensor& features) {
  if (features.is_cuda()) return make_torch_rows(features);
  const at::Tensor host = features.contiguous();
  return make_cpu_rows({host.data_ptr<float>(), static_cast<std::size_t>(host.numel())}, host.size(1),
                       at::get_num_threads());
}

at::Tensor centroids_of(const Clustering& clustering, at::Device device) {
  auto* values = const_cast<float*>(clustering.centroids.data());
  const at::Tensor borrowed = at::from_blob(values, {static_cast<std::int64_t>(clustering.centroids.size())}, at::kFloat);
  return borrowed.view({clustering.clusters, -1}).to(device, at::kFloat, /*non_blocking=*/false, /*copy=*/true);
}

// Of all windows of these samples.
at::Tensor indices(const std::vector<std::int64_t>& samples, const WindowCut& cut, at::Device device) {
  std::vector<std::int64_t> windows;
  for (const std::int64_t sample : samples)
    for (std::int64_t i = 0; i < cut.count; ++i) windows.push_back(sample * cut.count + i);
  return indices_tensor(windows, device);
}

Result<metrics::SilhouetteEstimate> silhouette_of(const at::Tensor& features, const at::Tensor& centroids,
                                                  const KMeansRules& rules, std::uint64_t seed) {
  if (features.is_cuda() && features.size(0) / kDeviceRows <= rules.silhouette_rows) {
    HONE_TRY(metrics::Silhouette exact, device_silhouette(features, nearest(features, centroids).cluster));
    return metrics::SilhouetteEstimate{exact.mean, {exact.mean, exact.mean}, std::move(exact.clusters),
                                       std::move(exact.sizes), features.size(0)};
  }
  const at::Tensor host = features.to(at::kCPU).contiguous();
  const at::Tensor cluster = nearest(features, centroids).cluster.to(at::kCPU, at::kInt).contiguous();
  metrics::SilhouetteSampling sampling;
  sampling.exact_rows_max = rules.silhouette_rows;
  sampling.sample_rows = std::min(rules.silhouette_rows, kSilhouetteSampleRowsMax);
  sampling.seed = seed;
  return metrics::estimate_silhouette(
      metrics::Matrix<float>{{host.data_ptr<float>(), static_cast<std::size_t>(host.numel())}, host.size(0), host.size(1)},
      {cluster.data_ptr<std::int32_t>(), static_cast<std::size_t>(cluster.numel())}, sampling);
}

struct Choice {
  Clustering clustering;
  double silhouette = 0;
  Json tried = Json::array();  // what became of each number of clusters
};

// The number of clusters with the highest Silhouette on the rows that were fitted.
Result<Choice> choose(const at::Tensor& features, const RecipeInput& input) {
  const KMeansRules& rules = input.pipeline.train.kmeans;
  const std::unique_ptr<ClusterRows> rows = rows_of(features);
  Choice choice;
  bool found = false;
  wire::ProgressPoint point;
  const double steps = static_cast<double>(rules.clusters_max - rules.clusters_min + 1);
  for (std::int64_t k = rules.clusters_min; k <= rules.clusters_max; ++k) {
    if (static_cast<double>(k) * rules.min_cluster > 1) break;
    point.epoch = k;
    auto clustering = trimmed_kmeans(*rows, k, rules, input.job.seed, [&] { return input.progress(point); });
    if (!clustering && clustering.error().code != Code::not_found) return fail(clustering.error());
    point.progress = static_cast<double>(k - rules.clusters_min + 1) / steps;
    if (!clustering) {
      choice.tried.push_back({{"clusters", k}, {"refused", clustering.error().context}});
      continue;
    }
    const at::Tensor centroids = centroids_of(*clustering, features.device());
    HONE_TRY(const auto silhouette, silhouette_of(features, centroids, rules, input.job.seed));
    point.loss = clustering->inertia / static_cast<double>(features.size(0));
    point.validation_metric = silhouette.mean;
    if (input.progress(point)) return fail(Code::cancelled, "training was stopped");
    choice.tried.push_back({{"clusters", k},
                            {"silhouette", silhouette.mean},
                            {"silhouette_bounds", {silhouette.bounds.lower, silhouette.bounds.upper}},
                            {"inertia", clustering->inertia},
                            {"smallest_share", clustering->smallest_share}});
    if (found && silhouette.mean <= choice.silhouette) continue;
    found = true;
    choice.silhouette = silhouette.mean;
    choice.clustering = std::move(*clustering);
  }
  if (!found)
    return fail(Code::invalid, "no number of clusters in train.clusters gave clusters of at least " +
                                   std::to_string(std::llround(100 * rules.min_cluster)) +
                                   "% of the samples each: allow fewer clusters, or lower train.min_cluster");
  return choice;
}

Result<RecipeOutput> train_unguarded(const RecipeInput& input) {
  const TrainRules& rules = input.pipeline.train;
  HONE_TRY(const double share, alarm_share(rules.anomaly, input.pipeline.rate_hz, rows_without_overlap(input.rows)));
  const WindowCut cut = window_cut(input.pipeline.signal, input.pipeline.windows);
  const auto elements = static_cast<double>(cut.count * feature_count(input.pipeline.signal, cut, rules.kmeans.spectrum));
  at::set_num_threads(threads_for(elements * static_cast<double>(input.rows.rows() * rules.kmeans.restarts)));
  const at::NoGradGuard no_gradient;
  const at::Tensor raw = raw_features(input.rows, cut, rules.kmeans.spectrum, best_device());
  const Split split = split_by_content(input.rows);
  const at::Tensor fitted = indices(split.fit, cut, raw.device());

  ClusterModel model;
  model.clip = static_cast<float>(rules.kmeans.clip);
  learn_scale(raw.index_select(0, fitted), model);
  const at::Tensor features = scaled(raw, model);
  HONE_TRY(const Choice choice, choose(features.index_select(0, fitted), input));
  const at::Tensor centroids = centroids_of(choice.clustering, raw.device());
  model.clusters = choice.clustering.clusters;
  model.centroids = choice.clustering.centroids;
  // Samples alarm, not windows: what is counted is each one's farthest.
  const at::Tensor farthest = std::get<0>(nearest(features, centroids).distance.sqrt().view({-1, cut.count}).max(1));
  const Threshold threshold = threshold_for(floats_of(farthest), share);
  model.threshold = static_cast<float>(threshold.value);

  const at::Tensor validation = features.index_select(0, indices(split.validation, cut, raw.device()));
  const auto silhouette = silhouette_of(validation, centroids, rules.kmeans, input.job.seed);
  RecipeOutput output;
  HONE_TRY(output.onnx, write_cluster_onnx(input.pipeline.signal, cut, rules.kmeans.spectrum, model, input.onnx_lineage("")));
  output.validation_metric = silhouette ? silhouette->mean : choice.silhouette;
  output.lineage = {{"libtorch", libtorch_version()},
                    {"device", raw.is_cuda() ? "cuda" : "cpu"},
                    {"clusters", model.clusters},
                    {"clusters_tried", choice.tried},
                    {"silhouette", choice.silhouette},
                    {"threshold", threshold.value},
                    {"threshold_quantile", threshold.quantile},
                    {"threshold_extrapolated", threshold.extrapolated}};
  return output;
}

}  // namespace

Result<RecipeOutput> train_kmeans(const RecipeInput& input) {
  const Rows& rows = input.rows;
  if (!(rows.signal == input.pipeline.signal) || rows.x.size() != rows.rows() * rows.signal.sample_bytes())
    return fail(Code::invalid, "the rows do not fit the signal of the pipeline");
  if (static_cast<std::int64_t>(rows.rows()) < kRowsMin)
    return fail(Code::invalid, "there are " + std::to_string(rows.rows()) + " samples to cluster; at least " +
                                   std::to_string(kRowsMin) + " are needed");
  return behind_wall([&] { return train_unguarded(input); });
}

}  // namespace hone::trainer
