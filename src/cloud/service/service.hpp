// The cloud, wired: ingest -> dataset -> train -> gate -> release -> publish -> rollout, as one
// function from request to response and one step of background work. It knows no socket and no
// broker: front/ translates for it, and a test calls it directly.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.hpp"
#include "base/hints.hpp"
#include "base/http.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/wire/messages.hpp"

namespace hone::cloud {

// The broker's list of who may listen; implemented by front/mqtt. May be absent (no broker).
class BrokerAccounts {
 public:
  virtual ~BrokerAccounts() = default;
  // Idempotent; takes effect soon. `unavailable` is not fatal: the device polls.
  [[nodiscard]] virtual Result<> add(const DeviceId& device, const std::string& secret) = 0;
};

struct ServiceConfig {
  std::string data_folder;                  // everything hone-cloud keeps: database, blobs, keys, repository
  std::string database;                     // SQLite file, or ":memory:"
  std::vector<std::string> pipeline_files;  // read again when they change
  std::string url;                          // what tickets and access files name
  std::string ca_pem;
  std::string mqtt_host;  // empty: no broker
  std::uint16_t mqtt_port = 0;
  Duration job_lease = std::chrono::seconds(15);
};

struct ServicePorts {  // all must outlive the service
  Files& files;
  const Clock& clock;
  Random& random;
  model::Runtime& runtime;
  HintSink* hints = nullptr;
  BrokerAccounts* accounts = nullptr;
  std::function<void()> wake = [] {};  // called from handle() when step() has something to do
  std::function<void(std::string_view)> log = [](std::string_view) {};  // a line worth a person's eye; any thread
};

class Service {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Service>> open(ServiceConfig config, ServicePorts ports);
  virtual ~Service() = default;

  // Everything under /v1 and /repository. Safe from several threads; never throws.
  [[nodiscard]] virtual HttpResponse handle(const HttpRequest& request) = 0;

  // Triggers, lease expiry, gate, release, publishing, rollout, metadata refresh. One thread at a time;
  // handle() may run beside it. Returns how long it may sleep unless woken. Every piece of work is
  // idempotent: after a crash at any point the next step goes on.
  [[nodiscard]] virtual Duration step(Time now) = 0;

  // For the machines beside the server; also written to <data_folder>/{trainer,admin}.json (mode 0600).
  [[nodiscard]] virtual wire::AccessFile trainer_access() const = 0;
  [[nodiscard]] virtual wire::AccessFile admin_access() const = 0;
};

}  // namespace hone::cloud
