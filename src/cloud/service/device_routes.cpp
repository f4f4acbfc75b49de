#include <charconv>

#include "cloud/ingest/ingest.hpp"
#include "cloud/rollout/offer.hpp"
#include "cloud/service/routes.hpp"
#include "shared/wire/batch.hpp"

namespace hone::cloud {
namespace {

constexpr std::size_t kStateBytesMax = 32;

Result<std::int64_t> count_from(const std::string& text, std::string_view what) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) {
    return fail(Code::invalid, std::string(what) + " has to be a number, zero or more");
  }
  return value;
}

Result<HttpResponse> enroll(Desk& desk, const Request& request) {
  HONE_TRY(const Json body, request.json());
  HONE_TRY(const auto wanted, wire::enroll_request_from(body));
  HONE_TRY(const auto enrolled, desk.access.enroll(wanted.token, wanted.nonce, request.now));
  wire::EnrollReply reply;
  reply.device = enrolled.device;
  reply.secret = enrolled.secret;
  reply.pipeline = enrolled.pipeline;
  reply.mqtt_host = desk.config.mqtt_host;
  reply.mqtt_port = desk.config.mqtt_port;
  // A broker that cannot be told now costs hints only: the device polls.
  if (desk.accounts != nullptr) {
    const auto told = desk.accounts->add(enrolled.device, enrolled.secret);
    desk.problems.set("broker", told ? "" : told.error().context);
  }
  return json_response(wire::to_json(reply));
}

Result<HttpResponse> offer(Desk& desk, const Request& request) {
  HONE_TRY(const auto running, count_from(request.query_or("running", "0"), "running"));
  HONE_TRY(const auto spooled, count_from(request.query_or("spooled", "0"), "spooled"));
  const std::string state = request.query_or("state", "");
  if (state.size() > kStateBytesMax) return fail(Code::invalid, "state is longer than any state's name");
  HONE_TRY(const auto pipeline, desk.registry.find(request.caller.pipeline.value));
  const ReleaseSeq release{static_cast<std::uint64_t>(running)};
  HONE_CHECK(desk.stores.devices->seen(request.caller.device, {release, state, spooled}, request.now));
  HONE_TRY(const auto releases, desk.stores.releases->list(pipeline->name));
  return json_response(wire::to_json(make_offer(request.caller.device, release, *pipeline, releases)));
}

Result<HttpResponse> take_batch(Desk& desk, const Request& request) {
  if (request.captures[0] != request.caller.pipeline.value) {
    return error_response(403, Code::untrusted,
                          "this device was enrolled for pipeline '" + request.caller.pipeline.value + "', not for '" +
                              request.captures[0].substr(0, 64) + "'");
  }
  HONE_TRY(const auto pipeline, desk.registry.find(request.captures[0]));
  auto stored = ingest(request.http.body, request.caller.device, *pipeline, request.now, *desk.stores.blobs,
                       *desk.stores.batches);
  if (!stored) {
    const Error& error = stored.error();
    if (error.code == Code::invalid) return error_response(422, error.code, error.context);
    return fail(error);
  }
  HONE_CHECK(desk.stores.devices->seen(request.caller.device, request.now));
  if (!stored->duplicate) desk.wake();
  HONE_TRY(const auto releases, desk.stores.releases->list(pipeline->name));
  wire::BatchReply reply;
  reply.stored = stored->rows;
  reply.duplicate = stored->duplicate;
  reply.collect = collect_for(pipeline->collect.until, releases);
  return json_response(wire::to_json(reply));
}

Result<HttpResponse> take_outcome(Desk& desk, const Request& request) {
  HONE_TRY(const Json body, request.json());
  HONE_TRY(const auto outcome, wire::outcome_from(body));
  const auto& caller = request.caller;
  HONE_TRY(const auto release, desk.stores.releases->get(caller.pipeline, outcome.release));
  if (!release) {
    return fail(Code::invalid,
                "pipeline '" + caller.pipeline.value + "' has no release " + std::to_string(outcome.release.value));
  }
  HONE_CHECK(desk.stores.devices->add_outcome(caller.device, caller.pipeline, outcome, request.now));
  HONE_CHECK(desk.stores.devices->seen(caller.device, request.now));
  desk.wake();
  return json_response(Json::object());
}

}  // namespace

std::vector<Route> device_routes(Desk& desk) {
  const auto with = [&desk](auto handler) { return [&desk, handler](const Request& r) { return handler(desk, r); }; };
  return {
      {"POST", "/v1/enroll", {}, kSmallBody, with(enroll)},
      {"GET", "/v1/offer", {Who::device}, kNoBody, with(offer)},
      {"POST", "/v1/pipelines/{}/batches", {Who::device}, wire::kBatchCompressedBytesMax, with(take_batch)},
      {"POST", "/v1/outcomes", {Who::device}, kSmallBody, with(take_outcome)},
  };
}

}  // namespace hone::cloud
