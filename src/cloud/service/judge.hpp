// Runs candidate and deployed model over all holdout rows of a dataset version, through the port that
// devices run models with, and asks the gate. Not for use by two threads at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "cloud/ingest/blob_store.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/wire/dataset.hpp"

namespace hone::cloud {

struct Judgement {
  std::string decision;  // promote, hold, reject
  std::string reason;    // one sentence
  Json numbers = Json::object();
  bool promote = false;
  std::string metric;
  double metric_value = 0;  // the candidate's, on the holdout
  bool goal_met = false;
};

[[nodiscard]] Result<wire::DatasetManifest> load_dataset(BlobStore& blobs, const DatasetHash& hash);

class Judge {
 public:
  Judge(BlobStore& blobs, model::Runtime& runtime) : blobs_(blobs), runtime_(runtime) {}

  // A candidate that cannot be loaded or run is rejected; an error means that the judging failed and
  // should be tried again.
  [[nodiscard]] Result<Judgement> judge(const GateRules& rules, const DatasetHash& dataset, const ModelHash& candidate,
                                        const std::optional<ModelHash>& deployed);

  // What judge() will want to know of the deployed model, while there is time. Remembers the newest only.
  [[nodiscard]] Result<> measure_ahead(const DatasetHash& dataset, const ModelHash& deployed);

 private:
  struct Predictions {
    DatasetHash dataset;
    ModelHash model;
    std::vector<std::int32_t> classes;  // one a holdout row
  };
  [[nodiscard]] Result<std::vector<std::int32_t>> predict(const wire::DatasetManifest& dataset, const ModelHash& model);

  BlobStore& blobs_;
  model::Runtime& runtime_;
  std::optional<Predictions> ahead_;
};

}  // namespace hone::cloud
