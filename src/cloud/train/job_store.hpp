// What training asks of a database. Each call is one transaction, durable when it returns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "shared/wire/messages.hpp"

namespace hone::cloud {

enum class JobState : std::uint8_t { queued, leased, completed, failed, cancelled };
[[nodiscard]] std::string_view name_of(JobState state);

struct JobRow {
  std::int64_t number = 0;
  PipelineName pipeline;
  JobState state = JobState::queued;
  std::string reason;   // why it was started
  std::string failure;  // of the last attempt
  std::string toml;     // the pipeline file as it stood
  std::string fingerprint;
  std::optional<DatasetHash> dataset;  // none: asked for by hand, its version is yet to be cut
  std::int64_t samples = 0;            // usable ones in the dataset version
  std::optional<ModelHash> base;       // to start from
  ReleaseSeq base_release;             // that the base was deployed as; 0: none
  std::int64_t attempts = 0;           // leases given
  std::string trainer;                 // who has it, or had it last
  Time last_sample{};                  // arrival of the newest sample in the dataset version
  Time created{};
  std::optional<Time> leased, lease_until, ended;  // ended: completed, failed or cancelled
  std::optional<wire::ModelFiles> trained;         // completed
  std::optional<wire::ModelFiles> fallback;        // perhaps, when completed: wire::TrainedModel::fallback
  double seconds_train = 0;
  Json lineage = Json::object();
  bool needs_commands = false;  // only a trainer that runs programs can do it

  // Of kind `evaluate`: the two models are `candidate` and `base`.
  wire::JobKind kind = wire::JobKind::train;
  std::optional<std::int64_t> subject;  // the training job that made the candidate
  std::optional<ModelHash> candidate;
  std::optional<wire::EvaluatedModels> figures;  // completed
};

inline constexpr std::int64_t kJobPointsMax = 1024;

struct JobPoint {
  std::int64_t attempt = 0;
  Time at{};
  wire::ProgressPoint point;
};

class JobStore {
 public:
  virtual ~JobStore() = default;

  // `invalid` while another job of the pipeline and of this kind is queued or leased.
  [[nodiscard]] virtual Result<std::int64_t> add(const JobRow& job) = 0;
  // For one asked for by hand: what it trains on, now that its dataset version was cut.
  [[nodiscard]] virtual Result<> set_dataset(const JobRow& job) = 0;

  // The oldest queued job that has a dataset, now leased; none when there is nothing to do. Those that need commands
  // only when the trainer runs `commands`.
  [[nodiscard]] virtual Result<std::optional<JobRow>> lease(const std::string& trainer, bool commands, Time now,
                                                            Time until) = 0;
  // False when this attempt does not have the lease any more. Of a job's points kJobPointsMax are kept at most: when
  // there are more, every second one is forgotten, again and again, and never the latest.
  [[nodiscard]] virtual Result<bool> heartbeat(std::int64_t number, const JobPoint& point, Time until) = 0;
  // The first model wins, whichever attempt it comes from; false when the job had ended before.
  [[nodiscard]] virtual Result<bool> complete(std::int64_t number, const wire::TrainedModel& model, Time now) = 0;
  // The same for an evaluation.
  [[nodiscard]] virtual Result<bool> complete_evaluation(std::int64_t number, const wire::EvaluatedModels& figures,
                                                         Time now) = 0;
  // The attempt ended without a result: queued again, or failed after `attempts_max`. False when this
  // attempt does not have the lease any more.
  [[nodiscard]] virtual Result<bool> give_back(std::int64_t number, std::int64_t attempt, const std::string& reason,
                                               std::int64_t attempts_max, Time now) = 0;
  // A queued or leased one, which is not taken up again; false when it had ended.
  [[nodiscard]] virtual Result<bool> cancel(std::int64_t number, const std::string& reason, Time now) = 0;
  [[nodiscard]] virtual Result<std::vector<JobRow>> leased() = 0;

  [[nodiscard]] virtual Result<std::optional<JobRow>> get(std::int64_t number) = 0;
  // The newest training job, those apart that were cancelled before they had a dataset.
  [[nodiscard]] virtual Result<std::optional<JobRow>> last(const PipelineName& pipeline) = 0;
  // The newest evaluation of that training job's model.
  [[nodiscard]] virtual Result<std::optional<JobRow>> evaluation_of(std::int64_t subject) = 0;
  [[nodiscard]] virtual Result<std::vector<JobRow>> list(const PipelineName& pipeline,
                                                         int count_max) = 0;            // newest first; empty name: all
  [[nodiscard]] virtual Result<std::vector<JobPoint>> points(std::int64_t number) = 0;  // oldest first, kJobPointsMax at most
  [[nodiscard]] virtual Result<std::optional<JobPoint>> latest_point(std::int64_t number) = 0;
};

}  // namespace hone::cloud
