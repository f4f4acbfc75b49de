// Keeps the lease of the job at hand: sends heartbeats with the newest progress and what was logged,
// and remembers when the cloud takes the job back.
//
// Owns no thread. Either a thread of the application calls tick() in a loop, over a client of its
// own, so that a heartbeat goes out whatever the training does; or, in a test or in one process
// with the cloud, the worker calls it between its own requests.
#pragma once

#include <mutex>
#include <optional>
#include <string_view>

#include "base/http.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "shared/wire/messages.hpp"
#include "trainer/client/job_log.hpp"

namespace hone::trainer {

class LeaseKeeper {
 public:
  // Both must outlive it. Only tick() and flush() use the client.
  LeaseKeeper(HttpClient& http, const Clock& clock) : http_(http), clock_(clock) {}

  // Any thread.
  void hold(const JobId& job, Duration lease);
  void release();
  void report(const wire::ProgressPoint& point);  // goes with the next heartbeat
  void log(std::string_view line);                // goes with the next heartbeats; nothing without a job
  [[nodiscard]] bool lost() const;                // the job held is no longer ours: stop quietly

  // Sends a heartbeat when a third of the lease has passed since the last, or half a second and there is
  // news. Returns how long until it should be called again.
  Duration tick();
  // Sends what was logged and not yet told, as far as the cloud answers: before the job ends.
  void flush();

 private:
  struct Held {
    JobId job;
    Duration lease;
    Time sent;          // the last attempt, or when the lease began
    bool first = true;  // nothing was sent yet
    bool news = false;
    wire::ProgressPoint point;
  };
  [[nodiscard]] bool due(const Held& held, Time now) const;
  [[nodiscard]] bool beat();  // true: the cloud took it
  [[nodiscard]] bool still_ours(const HttpResponse& response) const;

  HttpClient& http_;
  const Clock& clock_;
  JobLog log_;
  std::mutex sending_;        // one heartbeat at a time; taken before mutex_
  mutable std::mutex mutex_;  // guards what follows; never held while sending
  std::optional<Held> held_;
  bool lost_ = false;
};

}  // namespace hone::trainer
