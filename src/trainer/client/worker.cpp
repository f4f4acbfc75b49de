#include "trainer/client/worker.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <optional>
#include <utility>

#include "base/hash.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/wire/fields.hpp"
#include "trainer/client/backoff.hpp"
#include "trainer/client/dataset_loader.hpp"
#include "trainer/command/evaluate.hpp"
#include "trainer/onnx_reader.hpp"

namespace hone::trainer {
namespace {

constexpr Duration kIdleEvery = std::chrono::milliseconds(250);
constexpr Duration kBackoffMax = std::chrono::seconds(5);
constexpr Duration kMessageTimeout = std::chrono::seconds(10);
constexpr Duration kUploadTimeout = std::chrono::seconds(120);
constexpr std::size_t kLeaseBytesMax = 1u << 20;
constexpr int kDamagedAttemptsMax = 3;
constexpr int kFailAttemptsMax = 4;

// Sends what may be sent twice. An answer that came damaged is as good as none: ask again.
Result<> deliver(HttpClient& http, const HttpRequest& request, Duration timeout) {
  HttpClient::Limits limits;
  limits.timeout = timeout;
  const Result<HttpResponse> response = http.send(request, limits);
  if (!response && response.error().code == Code::damaged) return fail(Code::unavailable, response.error().context);
  if (!response) return fail(response.error());
  if (response->ok()) return {};
  return fail(error_of(*response).within(request.method + " " + request.path));
}

}  // namespace

Worker::Worker(WorkerConfig config, WorkerPorts ports)
    : config_(std::move(config)),
      ports_(std::move(ports)),
      cache_(ports_.files, ports_.http, config_.work_folder + "/blobs", config_.cache_bytes_max) {}

Result<StepResult> Worker::step_once() {
  HttpRequest request;
  request.method = "POST";
  request.path = "/v1/jobs/lease";
  request.headers["content-type"] = "application/json";
  request.body = dump_bytes(Json{{"trainer", config_.name}, {"commands", !config_.commands_folder.empty()}});
  HttpClient::Limits limits;
  limits.response_bytes_max = kLeaseBytesMax;
  HONE_TRY(const HttpResponse response, ports_.http.send(request, limits));
  if (!response.ok()) return fail(error_of(response).within("asking for a job"));
  if (response.status == 204) return StepResult::idle;
  HONE_TRY(const Json json, parse_json(response.body));
  HONE_TRY(const wire::Job job, wire::job_from(json));
  return run(job);
}

StepResult Worker::run(const wire::Job& job) {
  ports_.keeper.hold(job.id, job.lease);
  spdlog::info("{}: {} ({})", job.id.value, job.pipeline.value, job.reason);
  const Result<> worked = work(job);
  StepResult step = StepResult::trained;
  if (!worked) {
    const bool quiet = ports_.keeper.lost() || ports_.stopping() || worked.error().code == Code::cancelled;
    step = quiet ? StepResult::lost : StepResult::failed;
    if (quiet)
      spdlog::info("{}: stopped: {}", job.id.value, worked.error().context);
    else
      give_up(job, worked.error().context);
  }
  ports_.keeper.release();
  cache_.prune();
  return step;
}

Result<> Worker::work(const wire::Job& job) {
  HONE_TRY(const Pipeline pipeline, parse_pipeline(job.pipeline_toml, job.pipeline.value + ".toml"));
  return job.kind == wire::JobKind::evaluate ? evaluate_models(job, pipeline) : train_model(job, pipeline);
}

Result<> Worker::train_model(const wire::Job& job, const Pipeline& pipeline) {
  HONE_TRY(Rows rows, load_rows(job, pipeline));
  HONE_TRY(const std::optional<Bytes> base, load_base(job));
  spdlog::info("{}: {} rows in memory, training", job.id.value, rows.rows());
  const auto progress = [&](const wire::ProgressPoint& point) {
    ports_.keeper.report(point);
    return let_go();
  };
  const CommandHost commands = command_host();
  HONE_TRY(const TrainOutcome outcome,
           train(job, pipeline, std::move(rows), base, config_.name, ports_.clock, progress, &commands));
  spdlog::info("{}: trained in {:.1f} s, validation {:.4f}, model {}", job.id.value, outcome.message.seconds_train,
               outcome.message.validation_metric, outcome.message.model.hex());
  return hand_in(job, outcome);
}

Result<> Worker::evaluate_models(const wire::Job& job, const Pipeline& pipeline) {
  const Time began = ports_.clock.now();
  HONE_TRY(const Rows rows, load_rows(job, pipeline));
  std::vector<Bytes> models;
  HONE_TRY(models.emplace_back(), load_model(*job.candidate));
  if (job.base) {
    HONE_TRY(models.emplace_back(), load_model(*job.base));
  }
  spdlog::info("{}: {} rows in memory, evaluating {} models", job.id.value, rows.rows(), models.size());
  const CommandHost commands = command_host();
  HONE_TRY(const std::vector<Bytes> figures, evaluate({pipeline, job.dataset, rows, models, commands}));
  for (const Bytes& file : figures) HONE_CHECK(put(file));
  wire::EvaluatedModels message;
  message.candidate = BlobHash{sha256(figures[0])};
  if (job.base) message.base = BlobHash{sha256(figures[1])};
  message.seconds = std::chrono::duration<double>(ports_.clock.now() - began).count();
  HONE_CHECK(finish(job, "figures", wire::to_json(message)));
  spdlog::info("{}: evaluated in {:.1f} s", job.id.value, message.seconds);
  return {};
}

CommandHost Worker::command_host() {
  return {ports_.files, config_.commands_folder, config_.work_folder + "/command", [this] { return let_go(); }};
}

// The only place where the holdout is asked for, and for an evaluation only: what has not seen it cannot learn from it.
Result<Rows> Worker::load_rows(const wire::Job& job, const Pipeline& pipeline) {
  const wire::Signal& signal = pipeline.signal;
  wire::DatasetManifest manifest;
  HONE_CHECK(persist([&]() -> Result<> {
    HONE_TRY(manifest, fetch_manifest(ports_.http, job.dataset));
    return {};
  }));
  if (!(manifest.signal == signal))
    return fail(Code::invalid,
                "dataset " + job.dataset.hex() + " was collected with another [signal] than the pipeline file has now");
  Rows rows;
  rows.signal = signal;
  rows.stream = pipeline.stream;
  const bool evaluates = job.kind == wire::JobKind::evaluate;
  const auto count = static_cast<std::uint64_t>(evaluates ? manifest.holdout_rows() : manifest.training_rows());
  if (count > config_.dataset_bytes_max / signal.sample_bytes())
    return fail(Code::invalid, (evaluates ? "the holdout of dataset " : "the training part of dataset ") +
                                   job.dataset.hex() + " is larger than this trainer takes into memory (" +
                                   std::to_string(config_.dataset_bytes_max >> 20) + " MiB)");
  rows.x.reserve(count * signal.sample_bytes());
  rows.y.reserve(count);
  for (const wire::Shard& shard : evaluates ? manifest.holdout : manifest.training)
    HONE_CHECK(persist([&] { return append_shard(cache_, shard, rows); }));
  return rows;
}

Result<std::optional<Bytes>> Worker::load_base(const wire::Job& job) {
  std::optional<Bytes> base;
  if (!job.base) return base;
  const Result<> loaded = persist([&]() -> Result<> {
    HONE_TRY(base, cache_.get(job.base->sha256, kOnnxBytesMax));
    return {};
  });
  // Without its base a job is still worth doing: it begins from scratch.
  if (!loaded && loaded.error().code != Code::not_found && loaded.error().code != Code::damaged)
    return fail(loaded.error());
  if (!loaded) spdlog::warn("{}: the base model is not to be had: {}", job.id.value, loaded.error().context);
  return base;
}

Result<Bytes> Worker::load_model(const ModelHash& model) {
  Bytes onnx;
  HONE_CHECK(persist([&]() -> Result<> {
    HONE_TRY(onnx, cache_.get(model.sha256, kOnnxBytesMax));
    return {};
  }));
  return onnx;
}

Result<> Worker::hand_in(const wire::Job& job, const TrainOutcome& outcome) {
  HONE_CHECK(put(outcome.onnx));
  for (const Bytes& file : outcome.further) HONE_CHECK(put(file));
  return finish(job, "complete", wire::to_json(outcome.message));
}

Result<> Worker::finish(const wire::Job& job, const std::string& call, const Json& message) {
  ports_.keeper.flush();
  Result<> told = persist([&] { return post("/v1/jobs/" + job.id.value + "/" + call, message); });
  // The cloud no longer knows the job as ours: somebody else has it, or has done it.
  if (!told && (told.error().code == Code::wrong_base || told.error().code == Code::not_found))
    return fail(Code::cancelled, told.error().context);
  return told;
}

Result<> Worker::put(const Bytes& file) {
  return persist([&]() -> Result<> {
    HttpRequest request;
    request.method = "PUT";
    request.path = "/v1/blobs/" + sha256(file).hex();
    request.headers["content-type"] = "application/octet-stream";
    request.body = file;
    Result<> sent = deliver(ports_.http, request, kUploadTimeout);
    // Refused for its hash, which was right here: the bytes were damaged on their way.
    if (!sent && sent.error().code == Code::invalid) return fail(Code::damaged, sent.error().context);
    return sent;
  });
}

void Worker::give_up(const wire::Job& job, const std::string& reason) {
  spdlog::error("{}: failed: {}", job.id.value, reason);
  ports_.keeper.flush();
  Backoff backoff(kIdleEvery, kBackoffMax);
  for (int attempt = 1; attempt <= kFailAttemptsMax; ++attempt) {
    const Result<> told =
        post("/v1/jobs/" + job.id.value + "/fail", Json{{"reason", wire::clip(reason, wire::kTextBytesMax)}});
    if (told || told.error().code != Code::unavailable) return;
    if (!ports_.wait(backoff.next())) return;
  }
}

Result<> Worker::post(const std::string& path, const Json& body) {
  HttpRequest request;
  request.method = "POST";
  request.path = path;
  request.headers["content-type"] = "application/json";
  request.body = dump_bytes(body);
  return deliver(ports_.http, request, kMessageTimeout);
}

Result<> Worker::persist(const Attempt& attempt) {
  Backoff backoff(kIdleEvery, kBackoffMax);
  const Time began = ports_.clock.now();
  int damaged = 0;
  for (;;) {
    if (let_go()) return fail(Code::cancelled, "the job is no longer ours, or the trainer is stopping");
    Result<> done = attempt();
    if (done) return done;
    const Error& error = done.error();
    if (error.code == Code::damaged && ++damaged < kDamagedAttemptsMax) {
      spdlog::warn("{}; trying again", error.context);
      continue;
    }
    if (error.code != Code::unavailable && error.code != Code::no_space) return done;
    if (ports_.clock.now() - began >= config_.patience) return done;
    spdlog::warn("{}; trying again", error.context);
    if (!ports_.wait(backoff.next())) return fail(Code::cancelled, "the trainer is stopping");
  }
}

bool Worker::let_go() {
  if (!config_.beats_elsewhere) ports_.keeper.tick();
  return ports_.keeper.lost() || ports_.stopping();
}

void run_worker(Worker& worker, const WorkerPorts& ports) {
  Backoff backoff(kIdleEvery, kBackoffMax);
  std::string complaint;  // said once, not at every attempt
  while (!ports.stopping()) {
    const Result<StepResult> step = worker.step_once();
    Duration pause{0};
    if (!step) {
      if (step.error().context != complaint) spdlog::warn("{}", step.error().context);
      complaint = step.error().context;
      pause = backoff.next();
    } else {
      if (!complaint.empty()) spdlog::info("the cloud answers again");
      complaint.clear();
      backoff.reset();
      if (*step != StepResult::trained) pause = kIdleEvery;
    }
    if (pause > Duration{0} && !ports.wait(pause)) return;
  }
}

}  // namespace hone::trainer
