#include <utility>

#include "platform/sim/sim.hpp"

namespace hone::platform {
namespace {

// A fault that is off draws nothing, so that switching one on does not reshuffle the others' runs.
bool happens(SimRandom& random, double probability) {
  return probability > 0 && random.uniform() < probability;
}

}  // namespace

SimHttpClient::SimHttpClient(HttpHandler handler, SimRandom& random, std::string authorization)
    : handler_(std::move(handler)), random_(random), authorization_(std::move(authorization)) {}

Result<HttpResponse> SimHttpClient::send(const HttpRequest& request, const Limits& limits) {
  const std::string doing = request.method + " " + request.path;
  if (!online) return fail(Code::unavailable, doing + ": simulated: no network");
  if (happens(random_, faults.drop_request))
    return fail(Code::unavailable, doing + ": simulated: the request was lost");

  HttpRequest sent = request;
  if (!authorization_.empty() && !sent.headers.contains("authorization"))
    sent.headers["authorization"] = authorization_;
  HttpResponse response = handler_(sent);

  if (happens(random_, faults.drop_response))
    return fail(Code::unavailable, doing + ": simulated: the answer was lost");
  if (response.body.size() > limits.response_bytes_max) {
    return fail(Code::damaged, doing + ": the answer is longer than the " + std::to_string(limits.response_bytes_max) +
                                   " bytes allowed here");
  }
  if (!response.body.empty() && happens(random_, faults.truncate)) {
    return fail(Code::damaged, doing + ": simulated: the answer was cut short");
  }
  if (!response.body.empty() && happens(random_, faults.corrupt)) {
    const std::uint64_t draw = random_.next();
    response.body[draw % response.body.size()] ^= static_cast<std::uint8_t>(1 + (draw >> 32) % 255);
  }
  return response;
}

}  // namespace hone::platform
