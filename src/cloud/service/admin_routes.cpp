#include "cloud/service/reports.hpp"
#include "cloud/service/routes.hpp"
#include "cloud/service/trigger_facts.hpp"
#include "cloud/train/jobs.hpp"
#include "shared/wire/fields.hpp"

namespace hone::cloud {
namespace {

constexpr std::int64_t kTicketsMax = 1000;
constexpr std::int64_t kTicketSecondsMax = 366LL * 24 * 3600;

Result<HttpResponse> healthz(Desk&, const Request&) {
  return json_response({{"ok", true}});
}

Result<HttpResponse> status(Desk& desk, const Request& request) {
  HONE_TRY(const Json report, status_report(desk, request.now));
  return json_response(report);
}

Result<HttpResponse> devices(Desk& desk, const Request&) {
  HONE_TRY(const Json report, devices_report(desk));
  return json_response(report);
}

Result<HttpResponse> releases(Desk& desk, const Request& request) {
  HONE_TRY(const auto pipeline, desk.registry.find(request.captures[0]));
  HONE_TRY(const Json report, releases_report(desk, *pipeline));
  return json_response(report);
}

Result<HttpResponse> verdicts(Desk& desk, const Request& request) {
  HONE_TRY(const auto pipeline, desk.registry.find(request.captures[0]));
  HONE_TRY(const Json report, verdicts_report(desk, *pipeline));
  return json_response(report);
}

Result<HttpResponse> jobs(Desk& desk, const Request& request) {
  PipelineName name(request.query_or("pipeline", ""));
  if (!name.empty()) {
    HONE_TRY([[maybe_unused]] const auto pipeline, desk.registry.find(name.value));
  }
  HONE_TRY(const Json report, jobs_report(desk, name));
  return json_response(report);
}

// Which files of the releases the devices are to run.
Result<std::string> format_in(const Json& body, const Pipeline& pipeline) {
  if (!body.contains("format")) return std::string(wire::kPlainFormat);
  HONE_TRY(const std::string format, get_string(body, "format"));
  for (const ExportFormat made : pipeline.exports.formats)
    if (name_of(made) == format) return format;
  return fail(Code::invalid, "pipeline '" + pipeline.name.value + "' does not export '" + wire::clip(format, 64) +
                                 "': name it in export.formats of the pipeline file first");
}

Result<HttpResponse> tickets(Desk& desk, const Request& request) {
  HONE_TRY(const Json body, request.json());
  HONE_TRY(const std::string name, get_string(body, "pipeline"));
  HONE_TRY(const std::int64_t count, get_int(body, "count"));
  HONE_TRY(const std::int64_t valid_s, get_int(body, "valid_s"));
  if (count < 1 || count > kTicketsMax) {
    return fail(Code::invalid, "count has to be 1 to " + std::to_string(kTicketsMax));
  }
  if (valid_s < 1 || valid_s > kTicketSecondsMax) {
    return fail(Code::invalid, "valid_s has to be 1 to " + std::to_string(kTicketSecondsMax));
  }
  HONE_TRY(const auto pipeline, desk.registry.find(name));
  HONE_TRY(const std::string format, format_in(body, *pipeline));
  HONE_TRY(const auto tokens,
           desk.access.new_tokens(pipeline->name, count, request.now + std::chrono::seconds(valid_s)));
  Json list = Json::array();
  for (const auto& token : tokens) {
    list.push_back(wire::to_json(
        wire::Ticket{desk.config.url, desk.config.ca_pem, pipeline->name, token, desk.root_json, format}));
  }
  return json_response({{"tickets", std::move(list)}});
}

// The job exists at once; the next step cuts the dataset version that it trains on.
Result<HttpResponse> train(Desk& desk, const Request& request) {
  HONE_TRY(const auto pipeline, desk.registry.find(request.captures[0]));
  HONE_TRY(const Json body, request.json());
  HONE_TRY(const auto totals, desk.stores.datasets->totals(pipeline->name));
  if (totals.received_rows == 0) {
    return fail(Code::invalid,
                "pipeline '" + pipeline->name.value + "' has no samples yet: let a device send some first");
  }
  JobRow job;
  job.pipeline = pipeline->name;
  HONE_TRY(job.reason, reason_in(body, "asked for by hand"));
  job.created = request.now;
  HONE_TRY(const std::int64_t number, desk.stores.jobs->add(job));
  desk.wake();
  return json_response({{"job", id_of({number, 1}).value}});
}

// A rollback is a higher number that names the older file.
Result<HttpResponse> rollback(Desk& desk, const Request& request) {
  HONE_TRY(const auto pipeline, desk.registry.find(request.captures[0]));
  HONE_TRY(const Json body, request.json());
  HONE_TRY(const std::int64_t to, get_int(body, "to"));
  HONE_TRY(const std::string reason, reason_in(body, ""));
  if (to < 1) return fail(Code::invalid, "'to' has to be the number of a release; 'hone release list' shows them");
  const ReleaseSeq older_seq{static_cast<std::uint64_t>(to)};
  HONE_TRY(const auto older, desk.stores.releases->get(pipeline->name, older_seq));
  if (!older || older->state != ReleaseState::published) {
    return fail(Code::not_found, "pipeline '" + pipeline->name.value + "' has no published release " +
                                     std::to_string(to) + "; 'hone release list' shows them");
  }
  HONE_TRY(const auto all, desk.stores.releases->list(pipeline->name));
  const auto* newest = newest_published(all);
  if (newest->model == older->model) {
    return fail(Code::invalid, "release " + std::to_string(to) + " names the model that devices are offered already");
  }
  ReleaseRow release = *older;
  release.job.reset();
  release.rollback_of = older_seq;
  release.note = "rollback of " + std::to_string(newest->seq.value) + " to " + std::to_string(to) +
                 (reason.empty() ? "" : ": " + reason);
  release.judged = request.now;
  HONE_TRY(const ReleaseSeq seq, desk.stores.releases->add_rollback(release));
  desk.wake();
  return json_response({{"release", seq.value}});
}

}  // namespace

Result<std::string> reason_in(const Json& body, std::string otherwise) {
  if (!body.contains("reason")) return otherwise;
  HONE_TRY(const std::string reason, get_string(body, "reason"));
  if (reason.size() > kReasonBytesMax) return fail(Code::invalid, "the reason is longer than 512 bytes");
  return reason.empty() ? otherwise : reason;
}

std::vector<Route> admin_routes(Desk& desk) {
  const auto with = [&desk](auto handler) { return [&desk, handler](const Request& r) { return handler(desk, r); }; };
  return {
      {"GET", "/v1/healthz", {}, kNoBody, with(healthz)},
      {"GET", "/v1/status", {Who::admin}, kNoBody, with(status)},
      {"POST", "/v1/tickets", {Who::admin}, kSmallBody, with(tickets)},
      {"GET", "/v1/devices", {Who::admin}, kNoBody, with(devices)},
      {"GET", "/v1/jobs", {Who::admin}, kNoBody, with(jobs)},
      {"GET", "/v1/pipelines/{}/releases", {Who::admin}, kNoBody, with(releases)},
      {"GET", "/v1/pipelines/{}/verdicts", {Who::admin}, kNoBody, with(verdicts)},
      {"POST", "/v1/pipelines/{}/train", {Who::admin}, kSmallBody, with(train)},
      {"POST", "/v1/pipelines/{}/rollback", {Who::admin}, kSmallBody, with(rollback)},
  };
}

}  // namespace hone::cloud
