#include "trainer/client/lease_keeper.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/json.hpp"

namespace hone::trainer {
namespace {

constexpr Duration kNewsEvery = std::chrono::milliseconds(500);
constexpr Duration kLookEvery = std::chrono::milliseconds(100);

}  // namespace

void LeaseKeeper::hold(const JobId& job, Duration lease) {
  const std::lock_guard lock(mutex_);
  held_ = Held{job, lease, clock_.now(), true, false, {}};
  lost_ = false;
  log_.begin();
}

void LeaseKeeper::release() {
  const std::lock_guard lock(mutex_);
  held_.reset();
}

void LeaseKeeper::report(const wire::ProgressPoint& point) {
  const std::lock_guard lock(mutex_);
  if (!held_) return;
  held_->point = point;
  held_->news = true;
}

bool LeaseKeeper::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void LeaseKeeper::log(std::string_view line) {
  {
    const std::lock_guard lock(mutex_);
    if (!held_) return;
    held_->news = true;
  }
  log_.add(clock_.now(), line);
}

Duration LeaseKeeper::tick() {
  const std::lock_guard sending(sending_);
  {
    const std::lock_guard lock(mutex_);
    if (!held_ || lost_ || !due(*held_, clock_.now())) return kLookEvery;
  }
  (void)beat();
  return kLookEvery;
}

void LeaseKeeper::flush() {
  const std::lock_guard sending(sending_);
  while (!log_.empty() && !lost() && beat()) {
  }
}

bool LeaseKeeper::beat() {
  HttpRequest request;
  JobId job;
  const std::vector<wire::LogLine> lines = log_.next();
  {
    const std::lock_guard lock(mutex_);
    if (!held_) return false;
    job = held_->job;
    Json body = wire::to_json(held_->point);
    for (const wire::LogLine& line : lines) body["log"].push_back(wire::to_json(line));
    request.method = "POST";
    request.path = "/v1/jobs/" + job.value + "/heartbeat";
    request.headers["content-type"] = "application/json";
    request.body = dump_bytes(body);
    held_->sent = clock_.now();
    held_->first = held_->news = false;
  }
  const Result<HttpResponse> response = http_.send(request, {});
  // No answer says nothing about the lease: a cloud that is down gives the job to nobody else.
  if (!response) return false;
  if (!still_ours(*response)) {
    const std::lock_guard lock(mutex_);
    if (held_ && held_->job == job) lost_ = true;
    return false;
  }
  if (!response->ok()) return false;
  if (!lines.empty()) log_.told(lines.back().number);
  if (!log_.empty()) {
    const std::lock_guard lock(mutex_);
    if (held_) held_->news = true;
  }
  return true;
}

bool LeaseKeeper::due(const Held& held, Time now) const {
  const Duration passed = now - held.sent;
  if (passed >= held.lease / 3) return true;
  return held.news && (held.first || passed >= kNewsEvery);
}

bool LeaseKeeper::still_ours(const HttpResponse& response) const {
  if (!response.ok()) {
    const Error error = error_of(response);
    if (error.code == Code::unavailable || error.code == Code::no_space) return true;
    spdlog::info("the cloud refused a heartbeat: {}", error.context);
    return false;
  }
  const Result<Json> json = parse_json(response.body);
  if (!json) return true;
  const Result<wire::HeartbeatReply> reply = wire::heartbeat_reply_from(*json);
  return !reply || !reply->cancel;
}

}  // namespace hone::trainer
