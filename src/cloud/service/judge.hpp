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
#include "cloud/gate/look.hpp"
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

  // A candidate that cannot be loaded or run is rejected, one with a metric that models cannot be asked for yet
  // (silhouette, score) is held with a reason that says so; an error means that the judging failed and
  // should be tried again. `last_look` is that of the newest earlier verdict that had one (look_of).
  [[nodiscard]] Result<Judgement> judge(const GateRules& rules, const DatasetHash& dataset, const ModelHash& candidate,
                                        const std::optional<ModelHash>& deployed, const std::optional<Look>& last_look);

  // What judge() will want to know of the deployed model and the data, while there is time. Remembers the newest only.
  [[nodiscard]] Result<> measure_ahead(Metric metric, const DatasetHash& dataset, const ModelHash& deployed);

 private:
  struct Answers {
    Metric metric = Metric::accuracy;
    DatasetHash dataset;
    ModelHash model;
    std::vector<double> rows;  // one a holdout row, see answers_of
  };
  struct Twins {
    DatasetHash dataset;
    std::vector<std::uint8_t> rows;
  };
  [[nodiscard]] Result<std::vector<double>> ask(Metric metric, const wire::DatasetManifest& dataset,
                                                const ModelHash& model);
  [[nodiscard]] Result<> find_twins(const DatasetHash& hash, const wire::DatasetManifest& dataset);

  BlobStore& blobs_;
  model::Runtime& runtime_;
  std::optional<Answers> ahead_;
  std::optional<Twins> twins_;
};

}  // namespace hone::cloud
