// hone-trainer's work: lease a job, load its data, train or evaluate, hand the result in.
//
//   Worker worker(config, {http, files, clock, keeper, wait});
//   auto step = worker.step_once();   // StepResult::idle when there was nothing to do
//
// Every request may be lost and sent again: all endpoints used are idempotent, and a lease that
// was granted in an answer that got lost simply expires.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/files.hpp"
#include "base/http.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/wire/messages.hpp"
#include "trainer/client/blob_cache.hpp"
#include "trainer/client/lease_keeper.hpp"
#include "trainer/command/command_host.hpp"
#include "trainer/rows.hpp"
#include "trainer/train.hpp"

namespace hone::trainer {

struct WorkerConfig {
  std::string name;                               // of this trainer, at most 128 bytes
  std::string work_folder;                        // blobs are cached, and commands work, below it
  std::string commands_folder{};                  // of programs that pipelines may name; empty: none are run
  std::uint64_t cache_bytes_max = 8ULL << 30;     // of disk
  std::uint64_t dataset_bytes_max = 16ULL << 30;  // of memory; a larger training part is refused
  Duration patience = std::chrono::minutes(10);   // with a cloud that does not answer, before a job is let go
  bool beats_elsewhere = false;                   // true: a thread of the application calls keeper.tick()
};

struct WorkerPorts {  // all must outlive the worker
  HttpClient& http;
  Files& files;
  const Clock& clock;
  LeaseKeeper& keeper;
  // Waits (a test advances its clock instead). False: the process is to end, stop quietly.
  std::function<bool(Duration)> wait;
  std::function<bool()> stopping = [] { return false; };
};

enum class StepResult : std::uint8_t {
  idle,     // there was no job
  trained,  // a model, or the figures of an evaluation, was handed in
  failed,   // the job was failed, with its reason
  lost,     // the job was taken back, or the process is to end: nothing was handed in
};

// Not for use by two threads at once.
class Worker {
 public:
  Worker(WorkerConfig config, WorkerPorts ports);

  // Leases and runs at most one job. Errors concern the lease itself: unavailable (nobody answers),
  // untrusted (TLS, or the token is not accepted), invalid (an answer that cannot be read).
  [[nodiscard]] Result<StepResult> step_once();

 private:
  using Attempt = std::function<Result<>()>;

  [[nodiscard]] StepResult run(const wire::Job& job);
  [[nodiscard]] Result<> work(const wire::Job& job);
  [[nodiscard]] Result<> train_model(const wire::Job& job, const Pipeline& pipeline);
  [[nodiscard]] Result<> evaluate_models(const wire::Job& job, const Pipeline& pipeline);
  [[nodiscard]] Result<Rows> load_rows(const wire::Job& job, const Pipeline& pipeline);
  [[nodiscard]] Result<std::optional<Bytes>> load_base(const wire::Job& job);
  [[nodiscard]] Result<Bytes> load_model(const ModelHash& model);
  [[nodiscard]] Result<> hand_in(const wire::Job& job, const TrainOutcome& outcome);
  [[nodiscard]] Result<> put(const Bytes& file);  // to /v1/blobs, until it is there
  // Tells the cloud what was handed in, under /v1/jobs/<id>/.
  [[nodiscard]] Result<> finish(const wire::Job& job, const std::string& call, const Json& message);
  [[nodiscard]] CommandHost command_host();
  void give_up(const wire::Job& job, const std::string& reason);

  [[nodiscard]] Result<> post(const std::string& path, const Json& body);
  // Repeats what is worth repeating: unavailable and no_space with backoff as long as the patience
  // lasts, damaged a few times. `cancelled` once the lease is lost or the process is to end.
  [[nodiscard]] Result<> persist(const Attempt& attempt);
  [[nodiscard]] bool let_go();  // beats inline when nobody else does

  WorkerConfig config_;
  WorkerPorts ports_;
  BlobCache cache_;
};

// Steps until `wait` or `stopping` says stop: every 250 ms when idle, backing off to five seconds
// when the cloud does not answer.
void run_worker(Worker& worker, const WorkerPorts& ports);

}  // namespace hone::trainer
