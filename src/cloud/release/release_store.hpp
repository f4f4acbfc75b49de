// What release asks of a database: verdicts and releases. A release is judged (its number is taken),
// prepared (its files are durable), published (the signed metadata names it), in this order; a
// crash between two leaves it in the earlier state and the work is done again.
// Each call is one transaction, durable when it returns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "shared/wire/model_files.hpp"

namespace hone::cloud {

enum class ReleaseState : std::uint8_t { judged, prepared, published };
[[nodiscard]] std::string_view name_of(ReleaseState state);

// One look of the gate at one model.
struct LookRow {
  std::string decision;           // promote, hold, reject
  std::string reason;             // one sentence
  Json numbers = Json::object();  // every number that the gate used
};

struct VerdictRow {
  std::int64_t job = 0;
  PipelineName pipeline;
  Time at{};
  std::string decision;           // promote, hold, reject
  std::string reason;             // one sentence
  Json numbers = Json::object();  // every number that the gate used
  std::optional<LookRow> first_look;  // at the job's model, when the verdict is about its fallback
  Json exports = Json::array();       // what became of each export: service/judge_exports.hpp
};

struct ReleaseRow {
  PipelineName pipeline;
  ReleaseSeq seq;
  ReleaseState state = ReleaseState::judged;
  ModelHash model;
  std::vector<wire::ModelExport> exports;  // the same model in other formats, those that ship
  std::optional<BlobHash> hints;           // for the delta from the base of its job
  std::optional<std::int64_t> job;        // none for a rollback
  std::optional<ReleaseSeq> rollback_of;  // the release whose file it names again
  std::string note;
  std::string metric;
  double metric_value = 0;
  bool goal_met = false;
  Time judged{};
  std::optional<BlobHash> manifest;  // from prepared on
  std::optional<Time> published;
  std::int64_t rollout_step = 0;  // index into delivery.rollout
  std::string halted;             // why the rollout stopped; empty: it did not
};

class ReleaseStore {
 public:
  virtual ~ReleaseStore() = default;

  // Stores a verdict and, when it promotes, the release that takes the next number. False, and
  // nothing is stored, when the newest release is not `compared_with` (0: none) any more: the gate
  // has to look again. A verdict that is there already stays, and the answer is true.
  [[nodiscard]] virtual Result<bool> add_verdict(const VerdictRow& verdict, const std::optional<ReleaseRow>& promoted,
                                                 ReleaseSeq compared_with) = 0;
  // A release that names an older file. Gives its number.
  [[nodiscard]] virtual Result<ReleaseSeq> add_rollback(const ReleaseRow& release) = 0;

  [[nodiscard]] virtual Result<> set_prepared(const PipelineName& pipeline, ReleaseSeq seq,
                                              const BlobHash& manifest) = 0;
  [[nodiscard]] virtual Result<> set_published(const PipelineName& pipeline, ReleaseSeq seq, Time now) = 0;
  [[nodiscard]] virtual Result<> set_rollout(const PipelineName& pipeline, ReleaseSeq seq, std::int64_t step,
                                             const std::string& halted) = 0;

  // Completed jobs without a verdict, oldest first.
  [[nodiscard]] virtual Result<std::vector<std::int64_t>> jobs_to_judge(const PipelineName& pipeline) = 0;
  [[nodiscard]] virtual Result<std::optional<ReleaseRow>> get(const PipelineName& pipeline, ReleaseSeq seq) = 0;
  [[nodiscard]] virtual Result<std::vector<ReleaseRow>> list(const PipelineName& pipeline) = 0;  // newest first
  [[nodiscard]] virtual Result<std::vector<VerdictRow>> verdicts(const PipelineName& pipeline,
                                                                 int count_max) = 0;  // newest first
  [[nodiscard]] virtual Result<std::optional<VerdictRow>> verdict(std::int64_t job) = 0;
};

}  // namespace hone::cloud
