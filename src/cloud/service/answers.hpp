// What a model is asked about each holdout row, by metric. It runs through the port that devices run models with.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "cloud/ingest/blob_store.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/wire/dataset.hpp"

namespace hone::cloud {

// The output in which a k-means model says where it places a row, before it looks for the nearest centroid.
constexpr const char* kFeaturesOutput = "features";

struct Asking {  // borrowed; must outlive the call
  BlobStore& blobs;
  model::Runtime& runtime;
  const wire::DatasetManifest& dataset;
};

// The model as devices would load it, with a further output or none ({}). Errors as for ask().
[[nodiscard]] Result<std::unique_ptr<model::Runner>> load_model(const Asking& asking, const ModelHash& model,
                                                                std::string_view further);

// False: ask() has no question for this metric yet.
[[nodiscard]] bool can_ask(Metric metric);

// One number a holdout row, in order: for accuracy, f1 and auc as answers_of (cloud/gate/evaluate.hpp) has it (for auc of
// a model that scores anomalies its score), for silhouette the cluster, for reconstruction what
// cloud/service/reconstruction.hpp says. `invalid` or `damaged` when the model cannot be asked (it does not fit the signal or the
// metric, or fails), `unavailable` when it or the data cannot be read.
[[nodiscard]] Result<std::vector<double>> ask(const Asking& asking, Metric metric, const ModelHash& model);

// [rows, width] of the model's output `features`, of the holdout rows `which` (ascending). Errors as for ask().
struct Features {
  std::vector<float> values;
  std::int64_t width = 0;
};
[[nodiscard]] Result<std::int64_t> feature_width(const Asking& asking, const ModelHash& model);
[[nodiscard]] Result<Features> ask_features(const Asking& asking, const ModelHash& model,
                                            const std::vector<std::int64_t>& which);

}  // namespace hone::cloud
