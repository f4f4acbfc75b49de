#include "cloud/train/jobs.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/hash.hpp"

namespace hone::cloud {
namespace {

// A seed that is another for each job and the same whenever the job is taken up again.
std::uint64_t seed_of(const JobRow& job) {
  const Sha256 hash = sha256(as_bytes("hone.seed\n" + job.pipeline.value + "\n" + std::to_string(job.number)));
  std::uint64_t seed = 0;
  for (std::size_t i = 0; i < 6; ++i) seed = seed << 8 | hash.bytes[i];  // 48 bits: exact in every JSON reader
  return seed;
}

Result<std::int64_t> positive(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value <= 0) {
    return fail(Code::not_found, "there is no job of that name");
  }
  return value;
}

}  // namespace

std::string_view name_of(JobState state) {
  switch (state) {
    case JobState::queued: return "queued";
    case JobState::leased: return "leased";
    case JobState::completed: return "completed";
    case JobState::failed: return "failed";
    case JobState::cancelled: return "cancelled";
  }
  return "unknown";
}

JobId id_of(const JobTicket& ticket) {
  std::string id = "job-" + std::to_string(ticket.number);
  if (ticket.attempt > 1) id += "-" + std::to_string(ticket.attempt);
  return JobId(id);
}

Result<JobTicket> job_ticket_from(std::string_view id) {
  constexpr std::string_view kPrefix = "job-";
  if (!id.starts_with(kPrefix)) return fail(Code::not_found, "there is no job of that name");
  id.remove_prefix(kPrefix.size());
  const auto dash = id.find('-');
  JobTicket ticket;
  HONE_TRY(ticket.number, positive(id.substr(0, dash)));
  if (dash != std::string_view::npos) {
    HONE_TRY(ticket.attempt, positive(id.substr(dash + 1)));
  }
  return ticket;
}

Result<std::optional<wire::Job>> lease_job(JobStore& jobs, const std::string& trainer, bool commands, Time now,
                                           Duration lease) {
  HONE_TRY(const auto row, jobs.lease(trainer, commands, now, now + lease));
  if (!row) return std::nullopt;
  wire::Job job;
  job.id = id_of({row->number, row->attempts});
  job.kind = row->kind;
  job.candidate = row->candidate;
  job.pipeline = row->pipeline;
  job.pipeline_toml = row->toml;
  job.dataset = *row->dataset;
  job.base = row->base;
  job.base_release = row->base_release;
  job.seed = seed_of(*row);
  job.lease = lease;
  job.reason = row->reason;
  return job;
}

Result<wire::HeartbeatReply> heartbeat(JobStore& jobs, const JobTicket& ticket, const wire::ProgressPoint& point,
                                       Time now, Duration lease) {
  HONE_TRY(const bool holds, jobs.heartbeat(ticket.number, {ticket.attempt, now, point}, now + lease));
  return wire::HeartbeatReply{!holds};
}

Result<> fail_job(JobStore& jobs, const JobTicket& ticket, std::string reason, Time now) {
  reason.resize(std::min(reason.size(), kReasonBytesMax));
  HONE_TRY([[maybe_unused]] const bool held, jobs.give_back(ticket.number, ticket.attempt, reason, kAttemptsMax, now));
  return {};
}

Result<std::optional<Time>> expire_leases(JobStore& jobs, Time now) {
  std::optional<Time> next;
  HONE_TRY(const auto leased, jobs.leased());
  for (const auto& job : leased) {
    const Time until = job.lease_until.value_or(now);
    if (until <= now) {
      const std::string reason = "trainer '" + job.trainer + "' was not heard of until its lease ran out";
      HONE_TRY([[maybe_unused]] const bool held, jobs.give_back(job.number, job.attempts, reason, kAttemptsMax, now));
    } else if (!next || until < *next) {
      next = until;
    }
  }
  return next;
}

}  // namespace hone::cloud
