#include "edge/agent/enroll.hpp"

namespace hone::edge {

Result<wire::EnrollReply> enroll(HttpClient& cloud, const wire::Ticket& ticket, const std::string& nonce) {
  wire::EnrollRequest ask;
  ask.token = ticket.token;
  ask.nonce = nonce;
  HttpRequest request;
  request.method = "POST";
  request.path = "/v1/enroll";
  request.headers["content-type"] = "application/json";
  request.body = dump_bytes(wire::to_json(ask));
  HONE_TRY(const HttpResponse response, cloud.send(request, {}));
  if (!response.ok()) {
    Error error = error_of(response);
    if (response.status == 401 || response.status == 403)
      error.context += "; make a new ticket with 'hone device enroll'";
    return fail(error.within("join with the ticket"));
  }
  HONE_TRY(const Json json, parse_json(response.body));
  HONE_TRY(auto reply, wire::enroll_reply_from(json));
  if (reply.pipeline != ticket.pipeline) {
    return fail(Code::invalid, "join with the ticket: it is for pipeline '" + ticket.pipeline.value +
                                   "', the answer for '" + reply.pipeline.value + "'");
  }
  return reply;
}

std::string authorization_of(const wire::EnrollReply& credential) {
  return "Bearer " + credential.device.value + "." + credential.secret;
}

}  // namespace hone::edge
