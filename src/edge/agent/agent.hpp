// The device, wired: sense -> spool -> upload, and fetch -> verify -> patch -> swap -> watch, driven
// by step(). It knows no socket, no thread and no clock: they arrive as ports and arguments.
//
//   auto agent = Agent::open(options, ports, now);
//   thread A: agent->infer(sample, scores); agent->observe({sample, label, now});
//   thread B: for (;;) sleep(agent->step(now));
//
// infer() never waits: no lock, no allocation of its own, no disk. observe() waits for the disk only
// when the stepping thread lags behind by more than the spool's queue.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/files.hpp"
#include "base/hints.hpp"
#include "base/http.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "edge/agent/state.hpp"
#include "edge/sense/sense.hpp"
#include "edge/spool/spool.hpp"
#include "edge/watch/watch.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/wire/messages.hpp"

namespace hone::edge {

struct AgentOptions {
  std::string folder;                  // everything the device keeps; private to it
  std::optional<wire::Ticket> ticket;  // needed until the first step that reached the cloud
  SpoolOptions spool;
  TrialRules trial;
};

struct AgentPorts {  // what they return and refer to must outlive the agent
  Files& files;
  Random& random;
  model::Runtime& runtime;
  // A client for the ticket's server; `authorization` is empty before the device has a credential.
  std::function<std::unique_ptr<HttpClient>(const wire::Ticket&, const std::string& authorization)> connect;
  // The broker's hints, made after enrolment; may be empty, may return null: then the device polls.
  std::function<std::unique_ptr<HintSource>(const wire::Ticket&, const wire::EnrollReply&)> listen;
};

// What became of some readings of a stream.
struct Readings {
  std::size_t taken_bytes = 0;  // less than all: a window was complete in between, hand over the rest again
  bool window_complete = false;
  std::optional<Error> not_stored;  // why the complete window was not observed: as observe() says
};

struct Inference {
  ReleaseSeq release;
  std::int64_t label = -1;  // index of the largest output
  float score = 0;          // that output
  std::int64_t width = 0;   // outputs in all
};

struct AgentStatus {
  DeviceState state = DeviceState::bootstrapping;
  UpdateState update = UpdateState::idle;
  bool enrolled = false;
  DeviceId device;
  ReleaseSeq release;  // that answers; 0: none
  bool goal_met = false;
  wire::Collect collect = wire::Collect::all;
  SpoolStatus spool;
  std::uint64_t rows_uploaded = 0;   // acknowledged since open
  std::uint64_t bytes_uploaded = 0;  // of batches, as sent, acknowledged since open
  std::uint64_t rows_skipped = 0;    // observed while the cloud wanted none: never stored
  std::uint64_t rows_refused = 0;    // do not fit the signal, or the cloud will never take them
  std::uint64_t inferences = 0;      // since open
  std::uint64_t inference_errors = 0;
  int models_in_memory = 0;
  std::string error;  // what does not work at the moment, one sentence; empty: all is well
};

// The longest that one step may wait for the network: one request (a metadata refresh is a few).
constexpr Duration kControlTimeout = std::chrono::seconds(10);

class Agent {
 public:
  // Finds the state of an earlier run and loads the installed model; needs no network. Errors:
  // invalid (no ticket on a new device), damaged (the state file), unavailable, no_space.
  [[nodiscard]] static Result<std::unique_ptr<Agent>> open(AgentOptions options, AgentPorts ports, Time now);
  virtual ~Agent() = default;

  // Any thread. Errors: invalid (does not fit the signal), no_space, unavailable.
  [[nodiscard]] virtual Result<> observe(const Sample& sample) = 0;

  // Any thread, one at a time: readings have an order. Takes them until a window is complete or they end; a complete
  // window is observed. `at`: when the last of them was read. Errors: unavailable (the stream is not known before the
  // first offer), invalid (no stream, sizes).
  [[nodiscard]] virtual Result<Readings> observe_readings(ByteView readings, std::int64_t label, Time at) = 0;

  // infer() on the newest complete window. unavailable: there is none yet. Waits for observe_readings on another thread.
  [[nodiscard]] virtual Result<Inference> infer_window(std::span<float> scores) const = 0;

  // Any thread. `scores`, when not empty, gets all outputs and must have room for them. Errors:
  // not_found (no model yet), invalid (sizes), damaged (the model failed: the trial notices).
  [[nodiscard]] virtual Result<Inference> infer(ByteView sample, std::span<float> scores) const = 0;

  // One thread. At most one network exchange and one piece of local work. Returns how long it may
  // sleep: zero when there is more to do at once.
  [[nodiscard]] virtual Duration step(Time now) = 0;

  // Any thread: makes all observed samples durable.
  [[nodiscard]] virtual Result<> sync() = 0;

  // Any thread.
  [[nodiscard]] virtual AgentStatus status() const = 0;
};

}  // namespace hone::edge
