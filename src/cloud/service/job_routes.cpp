// What administrators ask about one job.
#include "cloud/service/reports.hpp"
#include "cloud/service/routes.hpp"
#include "cloud/train/jobs.hpp"

namespace hone::cloud {
namespace {

Result<JobRow> job_of(Desk& desk, const Request& request) {
  HONE_TRY(const auto ticket, job_ticket_from(request.captures[0]));
  HONE_TRY(auto job, desk.stores.jobs->get(ticket.number));
  if (!job) return fail(Code::not_found, "there is no job-" + std::to_string(ticket.number) + "; 'hone job list' shows them");
  return *job;
}

Result<HttpResponse> show(Desk& desk, const Request& request) {
  HONE_TRY(const JobRow job, job_of(desk, request));
  HONE_TRY(const Json report, job_report(desk, job));
  return json_response(report);
}

Result<HttpResponse> log(Desk& desk, const Request& request) {
  HONE_TRY(const JobRow job, job_of(desk, request));
  HONE_TRY(const auto lines, desk.stores.job_logs->lines(job.number));
  Json list = Json::array();
  for (const JobLogLine& line : lines) {
    Json one = wire::to_json(line.line);
    one["attempt"] = line.attempt;
    list.push_back(std::move(one));
  }
  return json_response({{"job", id_of({job.number, 1}).value}, {"lines", std::move(list)}});
}

// A trainer that has it hears of it in the answer to its next heartbeat.
Result<HttpResponse> cancel(Desk& desk, const Request& request) {
  HONE_TRY(const Json body, request.json());
  HONE_TRY(const std::string reason, reason_in(body, "cancelled by hand"));
  HONE_TRY(const JobRow job, job_of(desk, request));
  HONE_TRY(const bool cancelled, desk.stores.jobs->cancel(job.number, reason, request.now));
  if (!cancelled) {
    HONE_TRY(const JobRow now, job_of(desk, request));
    return fail(Code::invalid, id_of({job.number, 1}).value + " is " + std::string(name_of(now.state)) + ": only a queued or running job can be cancelled");
  }
  desk.wake();
  return json_response({{"job", id_of({job.number, 1}).value}, {"was", name_of(job.state)}});
}

}  // namespace

std::vector<Route> job_routes(Desk& desk) {
  const auto with = [&desk](auto handler) { return [&desk, handler](const Request& r) { return handler(desk, r); }; };
  return {
      {"GET", "/v1/jobs/{}", {Who::admin}, kNoBody, with(show)},
      {"GET", "/v1/jobs/{}/log", {Who::admin}, kNoBody, with(log)},
      {"POST", "/v1/jobs/{}/cancel", {Who::admin}, kSmallBody, with(cancel)},
  };
}

}  // namespace hone::cloud
