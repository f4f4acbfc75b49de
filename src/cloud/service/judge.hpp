// Asks candidate and deployed model about all holdout rows of a dataset version, through the port that devices run
// models with, and asks the gate. What a model is asked for is in answers.hpp, what becomes of its answers in
// evidence.hpp. Not for use by two threads at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "cloud/gate/evaluate.hpp"
#include "cloud/gate/look.hpp"
#include "cloud/ingest/blob_store.hpp"
#include "cloud/service/ruler.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/wire/dataset.hpp"
#include "shared/wire/messages.hpp"

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

struct Question {
  const Pipeline& pipeline;  // the gate's rules, and how many rows a Silhouette is measured on; borrowed
  DatasetHash dataset;
  ModelHash candidate;
  std::vector<ModelHash> released;  // the published models, oldest first; the last one is deployed
  std::optional<Look> last_look;    // of the newest earlier verdict that had one (look_of)
  std::optional<wire::EvaluatedModels> figures{};  // score: what a trainer measured of both models (evaluation.hpp)
};

class Judge {
 public:
  Judge(BlobStore& blobs, model::Runtime& runtime) : blobs_(blobs), runtime_(runtime) {}

  // A candidate that cannot be loaded or asked is rejected; an error means that the judging failed and should be tried
  // again. A deployed model that cannot be asked what the metric needs (it was released under another metric) is not
  // compared with: the candidate is judged as a first model, and the numbers say why ("not_compared").
  [[nodiscard]] Result<Judgement> judge(const Question& question);

  // A model's metric on all holdout rows, as judge() measures a candidate's. `invalid` and `damaged`: the model's own fault.
  [[nodiscard]] Result<double> measure(Metric metric, const DatasetHash& dataset, const ModelHash& model);

  // What judge() will want to know of the deployed model and the data, while there is time. `candidate` and `last_look`
  // are not read. Remembers the newest only.
  [[nodiscard]] Result<> measure_ahead(const Question& question);

 private:
  // Of the deployed model; when it cannot be asked, why.
  struct Answers {
    Metric metric = Metric::accuracy;
    DatasetHash dataset;
    ModelHash model;
    std::vector<double> rows;
    std::string refused;
  };
  struct Kin {
    DatasetHash dataset;
    std::vector<std::uint8_t> twins;
    std::vector<std::uint32_t> blocks;  // empty: the rows are not windows of a stream
    [[nodiscard]] Kinship kinship() const { return {twins, blocks}; }
  };
  struct Space {
    DatasetHash dataset;
    MeasuredSpace space;
  };
  [[nodiscard]] Result<Judgement> judge_figures(const Question& question, const wire::DatasetManifest& dataset);
  [[nodiscard]] Result<> ask_deployed(const Question& question, const wire::DatasetManifest& dataset);
  [[nodiscard]] Result<> find_kin(const Pipeline& pipeline, const DatasetHash& hash, const wire::DatasetManifest& dataset);
  [[nodiscard]] Result<> find_space(const DatasetHash& hash, const wire::DatasetManifest& dataset,
                                    const ModelHash& ruler);
  [[nodiscard]] Result<Judgement> decide_on(const Question& question, const wire::DatasetManifest& dataset,
                                            const std::vector<double>& answers);

  BlobStore& blobs_;
  model::Runtime& runtime_;
  std::optional<Answers> deployed_;
  std::optional<Kin> kin_;
  std::optional<Space> space_;  // silhouette
};

}  // namespace hone::cloud
