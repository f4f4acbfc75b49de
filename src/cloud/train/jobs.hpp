// The life of a job: queued, leased to a trainer that shows signs of life, completed once.
// A trainer that dies loses its lease and the job is taken up again, three times at most.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "cloud/train/job_store.hpp"

namespace hone::cloud {

constexpr std::int64_t kAttemptsMax = 3;
constexpr std::size_t kReasonBytesMax = 512;

// What a trainer holds: a later attempt at the same job has another id, so that one that lost its
// lease cannot speak for its successor. "job-12" is the first attempt, "job-12-2" the second.
struct JobTicket {
  std::int64_t number = 0;
  std::int64_t attempt = 1;
};
[[nodiscard]] JobId id_of(const JobTicket& ticket);
[[nodiscard]] Result<JobTicket> job_ticket_from(std::string_view id);

// `commands`: the trainer runs programs of the user's.
[[nodiscard]] Result<std::optional<wire::Job>> lease_job(JobStore& jobs, const std::string& trainer, bool commands,
                                                         Time now, Duration lease);
[[nodiscard]] Result<wire::HeartbeatReply> heartbeat(JobStore& jobs, const JobTicket& ticket,
                                                     const wire::ProgressPoint& point, Time now, Duration lease);
[[nodiscard]] Result<> fail_job(JobStore& jobs, const JobTicket& ticket, std::string reason, Time now);

// Takes back leases that ran out. Returns when the next one does.
[[nodiscard]] Result<std::optional<Time>> expire_leases(JobStore& jobs, Time now);

}  // namespace hone::cloud
