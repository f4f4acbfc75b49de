// The control messages under /v1: plain values and their JSON. docs/formats/messages.md has
// the table of endpoints. Readers ignore keys that they do not know, so that either side may
// be newer; every string and number is bounded on the way in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "shared/wire/model_files.hpp"
#include "shared/wire/signal.hpp"
#include "shared/wire/stream.hpp"

namespace hone::wire {

// ---- joining -------------------------------------------------------------------------------

// The file that `hone device enroll` hands to a device: all it needs to join, once.
struct Ticket {
  std::string url;        // "https://127.0.0.1:8443"
  std::string ca_pem;     // the server's certificate authority
  PipelineName pipeline;
  std::string token;      // one-time
  std::string root_json;  // the first TUF root metadata, the device's trust anchor
  // Which of a release's files the device runs: the plain one where a release has no such export.
  std::string format{kPlainFormat};
};

struct EnrollRequest {  // POST /v1/enroll, no credential
  std::string token;
  // Drawn once by the device, 32 hex digits: the same token with the same nonce gets the same
  // reply again, so that a device which lost power before it stored the reply can ask once more.
  // Empty (an old device): the token works exactly once.
  std::string nonce;
};

struct EnrollReply {
  DeviceId device;
  std::string secret;  // from now on: Authorization: Bearer <device>.<secret>
  PipelineName pipeline;
  std::string mqtt_host;  // empty: no broker, the device polls
  std::uint16_t mqtt_port = 0;  // TLS with the ticket's CA; user = device id, password = secret
};

// ---- the device's control loop -------------------------------------------------------------

enum class Collect : std::uint8_t { all, none };  // none: the goal is met, keep samples local

// GET /v1/offer -> what this device should run and send. Desired state: repeatable, idempotent.
struct Offer {
  PipelineName pipeline;
  Signal signal;
  ReleaseSeq release;      // 0: nothing to run yet
  bool goal_met = false;   // by the offered release
  Collect collect = Collect::all;
  Duration flush_after{0};      // a partly filled batch is sent when its oldest sample is this old
  std::int64_t daily_bytes = 0; // of batches; 0: no bound
  Duration check_every{0};      // poll beside the hints; 0: never
  std::optional<Stream> stream;  // the device cuts its samples from readings; absent: it observes whole ones
};

enum class OutcomeKind : std::uint8_t { confirmed, reverted, refused };

// POST /v1/outcomes: what became of a release on this device. Sent again until acknowledged.
struct Outcome {
  ReleaseSeq release;
  OutcomeKind kind = OutcomeKind::confirmed;
  std::string reason;             // for reverted and refused, at most 512 bytes
  bool by_delta = false;
  std::uint64_t fetched_bytes = 0;  // target bytes pulled for it, metadata apart
  Time live_at{};                 // when it began to answer
  std::uint64_t inferences = 0;   // since then
  std::uint64_t errors = 0;
};

// POST /v1/pipelines/<name>/batches -> this.
struct BatchReply {
  std::int64_t stored = 0;  // rows; durable when this is read
  bool duplicate = false;   // the id was known: nothing was stored again
  Collect collect = Collect::all;
};

// ---- trainers ------------------------------------------------------------------------------

enum class JobKind : std::uint8_t {
  train,     // a model from the training part
  evaluate,  // the pipeline's own metric (train.eval) of candidate and deployed model, row by row of the holdout
};

// POST /v1/jobs/lease {"trainer", "commands"*: it runs programs} -> 200 with this, or 204 when there is nothing to do.
struct Job {
  JobId id;
  JobKind kind = JobKind::train;
  PipelineName pipeline;
  std::string pipeline_toml;           // the recipe: the pipeline file as it stood
  DatasetHash dataset;                 // GET /v1/datasets/<hash> is its manifest
  std::optional<ModelHash> base;       // the deployed model, to start from or to evaluate, too: GET /v1/blobs/<hash>
  ReleaseSeq base_release;             // that the base was deployed as; 0: none
  std::optional<ModelHash> candidate;  // evaluate: always there
  std::uint64_t seed = 0;
  Duration lease{0};              // send a heartbeat well before this has passed
  std::string reason;             // "36000 new samples"
};

struct ProgressPoint {
  double progress = 0;  // 0 to 1
  std::int64_t epoch = 0;
  double loss = 0;
  double validation_metric = 0;
};

struct HeartbeatReply {
  bool cancel = false;  // stop quietly; the job is no longer yours
};

// POST /v1/jobs/<id>/complete after PUT /v1/blobs/<hash> of every file that it names.
struct TrainedModel : ModelFiles {
  // What the gate may try once, as a second look, when it did not promote the first: the model that was trained freely
  // where the first was trained under a wire budget.
  std::optional<ModelFiles> fallback;
  double seconds_train = 0;       // from data in memory to ONNX in memory
  Json lineage = Json::object();  // seed, code version, trainer, library versions, curve

  [[nodiscard]] std::vector<BlobHash> all_blobs() const;  // its own and the fallback's
};

// POST /v1/jobs/<id>/figures after PUT /v1/blobs/<hash> of both: shared/wire/figures.hpp says what they are.
struct EvaluatedModels {
  BlobHash candidate;
  std::optional<BlobHash> base;  // when the job had one
  double seconds = 0;
};

[[nodiscard]] std::string_view name_of(JobKind kind);       // "train", "evaluate"
[[nodiscard]] Result<JobKind> job_kind_from(std::string_view name);
[[nodiscard]] std::string_view name_of(Collect collect);    // "all", "none"
[[nodiscard]] std::string_view name_of(OutcomeKind kind);   // "confirmed", "reverted", "refused"
[[nodiscard]] Result<OutcomeKind> outcome_kind_from(std::string_view name);

// Credentials for machines and people: written by the server beside its keys.
struct AccessFile {  // "trainer.json", "admin.json"
  std::string url;
  std::string ca_pem;
  std::string token;  // Authorization: Bearer <token>
};

[[nodiscard]] Json to_json(const Ticket&);
[[nodiscard]] Json to_json(const EnrollRequest&);
[[nodiscard]] Json to_json(const EnrollReply&);
[[nodiscard]] Json to_json(const Offer&);
[[nodiscard]] Json to_json(const Outcome&);
[[nodiscard]] Json to_json(const BatchReply&);
[[nodiscard]] Json to_json(const Job&);
[[nodiscard]] Json to_json(const ProgressPoint&);
[[nodiscard]] Json to_json(const HeartbeatReply&);
[[nodiscard]] Json to_json(const TrainedModel&);
[[nodiscard]] Json to_json(const EvaluatedModels&);
[[nodiscard]] Json to_json(const AccessFile&);

[[nodiscard]] Result<Ticket> ticket_from(const Json&);
[[nodiscard]] Result<EnrollRequest> enroll_request_from(const Json&);
[[nodiscard]] Result<EnrollReply> enroll_reply_from(const Json&);
[[nodiscard]] Result<Offer> offer_from(const Json&);
[[nodiscard]] Result<Outcome> outcome_from(const Json&);
[[nodiscard]] Result<BatchReply> batch_reply_from(const Json&);
[[nodiscard]] Result<Job> job_from(const Json&);
[[nodiscard]] Result<ProgressPoint> progress_point_from(const Json&);
[[nodiscard]] Result<HeartbeatReply> heartbeat_reply_from(const Json&);
[[nodiscard]] Result<TrainedModel> trained_model_from(const Json&);
[[nodiscard]] Result<EvaluatedModels> evaluated_models_from(const Json&);
[[nodiscard]] Result<AccessFile> access_file_from(const Json&);

}  // namespace hone::wire
