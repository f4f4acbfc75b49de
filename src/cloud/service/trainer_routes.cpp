#include "cloud/service/routes.hpp"
#include "cloud/train/jobs.hpp"

namespace hone::cloud {
namespace {

constexpr std::size_t kTrainerNameBytesMax = 128;

HttpResponse bytes_response(Bytes bytes, std::string_view type) {
  HttpResponse response;
  response.status = 200;
  response.headers["content-type"] = type;
  response.headers["cache-control"] = "private, max-age=31536000, immutable";  // named by its hash
  response.body = std::move(bytes);
  return response;
}

Result<BlobHash> hash_from(const std::string& hex) {
  auto hash = Sha256::from_hex(hex);
  if (!hash) return fail(Code::invalid, "the path has to end with a SHA-256 in hexadecimal");
  return BlobHash{*hash};
}

Result<HttpResponse> lease(Desk& desk, const Request& request) {
  HONE_TRY(const Json body, request.json());
  HONE_TRY(const std::string trainer, get_string(body, "trainer"));
  if (trainer.empty() || trainer.size() > kTrainerNameBytesMax) {
    return fail(Code::invalid, "a trainer's name has 1 to " + std::to_string(kTrainerNameBytesMax) + " bytes");
  }
  bool commands = false;  // an older trainer does not say it, and runs none
  if (body.contains("commands")) {
    HONE_TRY(commands, get_bool(body, "commands"));
  }
  HONE_TRY([[maybe_unused]] const auto next, expire_leases(*desk.stores.jobs, request.now));
  HONE_TRY(const auto job, lease_job(*desk.stores.jobs, trainer, commands, request.now, desk.config.job_lease));
  if (job) return json_response(wire::to_json(*job));
  HttpResponse nothing;
  nothing.status = 204;
  return nothing;
}

Result<HttpResponse> beat(Desk& desk, const Request& request) {
  HONE_TRY(const auto ticket, job_ticket_from(request.captures[0]));
  HONE_TRY(const Json body, request.json());
  HONE_TRY(const auto point, wire::progress_point_from(body));
  HONE_TRY(const auto lines, wire::log_lines_from(body));
  HONE_TRY(const auto reply, heartbeat(*desk.stores.jobs, ticket, point, request.now, desk.config.job_lease));
  if (!reply.cancel) {
    HONE_CHECK(desk.stores.job_logs->append(ticket.number, ticket.attempt, lines));
  }
  return json_response(wire::to_json(reply));
}

Result<HttpResponse> complete(Desk& desk, const Request& request) {
  HONE_TRY(const auto ticket, job_ticket_from(request.captures[0]));
  HONE_TRY(const Json body, request.json());
  HONE_TRY(const auto model, wire::trained_model_from(body));
  HONE_TRY(const auto job, desk.stores.jobs->get(ticket.number));
  if (!job) return fail(Code::not_found, "there is no job of that name");
  for (const BlobHash& blob : model.all_blobs()) {
    HONE_TRY(const bool uploaded, desk.stores.blobs->has(blob));
    if (!uploaded) return fail(Code::invalid, "the file " + blob.hex() + " is not here: PUT it to /v1/blobs first");
  }
  HONE_TRY(const bool first, desk.stores.jobs->complete(ticket.number, model, request.now));
  if (first) desk.wake();
  return json_response(Json::object());
}

Result<HttpResponse> evaluated(Desk& desk, const Request& request) {
  HONE_TRY(const auto ticket, job_ticket_from(request.captures[0]));
  HONE_TRY(const Json body, request.json());
  HONE_TRY(const auto figures, wire::evaluated_models_from(body));
  HONE_TRY(const auto job, desk.stores.jobs->get(ticket.number));
  if (!job || job->kind != wire::JobKind::evaluate) return fail(Code::not_found, "there is no evaluation of that name");
  if (job->base.has_value() != figures.base.has_value())
    return fail(Code::invalid, "the evaluation has to name figures of each model of the job");
  for (const auto& blob : {figures.candidate, figures.base.value_or(figures.candidate)}) {
    HONE_TRY(const bool uploaded, desk.stores.blobs->has(blob));
    if (!uploaded) return fail(Code::invalid, "the figures " + blob.hex() + " are not here: PUT them to /v1/blobs first");
  }
  HONE_TRY(const bool first, desk.stores.jobs->complete_evaluation(ticket.number, figures, request.now));
  if (first) desk.wake();
  return json_response(Json::object());
}

Result<HttpResponse> failed(Desk& desk, const Request& request) {
  HONE_TRY(const auto ticket, job_ticket_from(request.captures[0]));
  HONE_TRY(const Json body, request.json());
  HONE_TRY(const std::string reason, get_string(body, "reason"));
  HONE_CHECK(fail_job(*desk.stores.jobs, ticket, reason, request.now));
  desk.wake();
  return json_response(Json::object());
}

Result<HttpResponse> dataset(Desk& desk, const Request& request) {
  HONE_TRY(const BlobHash hash, hash_from(request.captures[0]));
  HONE_TRY(const auto version, desk.stores.datasets->version(DatasetHash{hash.sha256}));
  if (!version) return fail(Code::not_found, "there is no dataset version " + hash.hex());
  HONE_TRY(Bytes manifest, desk.stores.blobs->get(hash, kShardBytesMax));
  return bytes_response(std::move(manifest), "application/json");
}

Result<HttpResponse> blob(Desk& desk, const Request& request) {
  HONE_TRY(const BlobHash hash, hash_from(request.captures[0]));
  HONE_TRY(Bytes bytes, desk.stores.blobs->get(hash, kModelBytesMax));
  return bytes_response(std::move(bytes), "application/octet-stream");
}

Result<HttpResponse> put_blob(Desk& desk, const Request& request) {
  HONE_TRY(const BlobHash wanted, hash_from(request.captures[0]));
  if (sha256(request.http.body) != wanted.sha256) {
    return error_response(422, Code::damaged, "the bytes are not those that the path names: send them again");
  }
  HONE_TRY([[maybe_unused]] const BlobHash stored, desk.stores.blobs->put(request.http.body));
  return json_response(Json::object());
}

}  // namespace

std::vector<Route> trainer_routes(Desk& desk) {
  const auto with = [&desk](auto handler) { return [&desk, handler](const Request& r) { return handler(desk, r); }; };
  return {
      {"POST", "/v1/jobs/lease", {Who::trainer}, kSmallBody, with(lease)},
      {"POST", "/v1/jobs/{}/heartbeat", {Who::trainer}, kSmallBody, with(beat)},
      {"POST", "/v1/jobs/{}/complete", {Who::trainer}, 1u << 20, with(complete)},
      {"POST", "/v1/jobs/{}/figures", {Who::trainer}, kSmallBody, with(evaluated)},
      {"POST", "/v1/jobs/{}/fail", {Who::trainer}, kSmallBody, with(failed)},
      {"GET", "/v1/datasets/{}", {Who::trainer, Who::admin}, kNoBody, with(dataset)},
      {"GET", "/v1/blobs/{}", {Who::trainer, Who::admin}, kNoBody, with(blob)},
      {"PUT", "/v1/blobs/{}", {Who::trainer}, kModelBytesMax, with(put_blob)},
  };
}

}  // namespace hone::cloud
