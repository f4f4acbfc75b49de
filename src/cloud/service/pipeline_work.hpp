// The background work of one pipeline, in the order in which data flows: split what came, train when
// the trigger says so, judge what was trained, prepare and publish what was promoted, roll it out.
// Each piece reads its state from the stores and ends with one transaction, so that after a crash
// the next step does the unfinished piece again. Not for use by two threads at once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/hints.hpp"
#include "base/time.hpp"
#include "cloud/dataset/dataset.hpp"
#include "cloud/publish/publish.hpp"
#include "cloud/service/evaluation.hpp"
#include "cloud/service/judge.hpp"
#include "cloud/service/stores.hpp"
#include "cloud/service/trigger_facts.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/pipeline/pipeline.hpp"

namespace hone::cloud {

struct WorkPorts {  // all must outlive the work
  Stores& stores;
  const Clock& clock;
  model::Runtime& runtime;
  Publisher& publisher;
  HintSink* hints;
  const std::function<void(std::string_view)>& log;
};

class PipelineWork {
 public:
  explicit PipelineWork(WorkPorts ports);

  // One bounded round. Returns how long nothing is due; zero when there is more to do at once.
  [[nodiscard]] Result<Duration> step(const std::shared_ptr<const Pipeline>& pipeline, Time now);

 private:
  [[nodiscard]] Result<> open_dataset(const std::shared_ptr<const Pipeline>& pipeline);
  [[nodiscard]] Result<bool> split_some();
  [[nodiscard]] Result<> finish_releases();
  [[nodiscard]] Result<bool> judge_trained();
  // False: its turn has not come, a trainer has to measure the model first.
  [[nodiscard]] Result<bool> judge_one(std::int64_t number);
  [[nodiscard]] Result<Evaluation> find_evaluation(const JobRow& job, const std::vector<ModelHash>& released);
  [[nodiscard]] Result<std::optional<Look>> newest_look();
  [[nodiscard]] Result<> measure_deployed_ahead(const TrainingSituation& situation);
  [[nodiscard]] Result<TriggerAnswer> start_training(const TrainingSituation& situation);
  [[nodiscard]] Result<> fill_in(JobRow& job, const TrainingSituation& situation);
  [[nodiscard]] Result<> roll_out();
  [[nodiscard]] Result<wire::SelfTest> self_test_of(const ReleaseRow& release, std::string_view format,
                                                    const ModelHash& file);
  [[nodiscard]] Result<> prepare_release(const ReleaseRow& release, const std::vector<ReleaseRow>& releases);
  [[nodiscard]] Result<> publish_release(const ReleaseRow& release);
  [[nodiscard]] Result<Bytes> manifest_bytes_of(const ReleaseRow& release);
  void log(const std::string& line) { ports_.log(pipeline_->name.value + ": " + line); }

  WorkPorts ports_;
  std::shared_ptr<const Pipeline> pipeline_;
  std::unique_ptr<Dataset> dataset_;
  Judge judge_;
};

}  // namespace hone::cloud
