// How a device joins, and the credentials of machines and people.
#include <algorithm>
#include <utility>

#include "shared/wire/fields.hpp"
#include "shared/wire/messages.hpp"

namespace hone::wire {
namespace {

constexpr std::size_t kUrlBytesMax = 2048;
constexpr std::size_t kTokenBytesMax = 256;
constexpr std::size_t kRootBytesMax = std::size_t{256} * 1024;
constexpr std::size_t kHostBytesMax = 255;

bool is_nonce(std::string_view text) {
  return text.size() == 32 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Tokens travel in a header line: printable, no spaces.
void token(Fields& fields, std::string_view key, std::string& out) {
  fields.text(key, out, kTokenBytesMax);
  if (fields.failed()) return;
  if (out.empty() || !std::all_of(out.begin(), out.end(), [](char c) { return c > ' ' && c < 127; }))
    fields.fail_key(key, "must be printable characters without spaces");
}

void url(Fields& fields, std::string& out) {
  fields.text("url", out, kUrlBytesMax);
  if (fields.failed()) return;
  if (!out.starts_with("https://") && !out.starts_with("http://"))
    fields.fail_key("url", "must begin with https:// or http://");
}

}  // namespace

Json to_json(const Ticket& ticket) {
  Json json{{"url", ticket.url},
            {"ca_pem", ticket.ca_pem},
            {"pipeline", ticket.pipeline.value},
            {"token", ticket.token},
            {"root_json", ticket.root_json}};
  if (ticket.format != kPlainFormat) json["format"] = ticket.format;
  return json;
}

Result<Ticket> ticket_from(const Json& json) {
  Ticket ticket;
  Fields fields("ticket", json);
  url(fields, ticket.url);
  fields.text("ca_pem", ticket.ca_pem, kPemBytesMax);
  fields.pipeline("pipeline", ticket.pipeline);
  token(fields, "token", ticket.token);
  fields.text("root_json", ticket.root_json, kRootBytesMax);
  if (fields.has("format")) fields.text("format", ticket.format, 64);
  if (!fields.failed() && !is_plain_name(ticket.format)) fields.fail_key("format", "must be a plain name");
  return fields.finish(std::move(ticket));
}

Json to_json(const EnrollRequest& request) {
  Json json{{"token", request.token}};
  if (!request.nonce.empty()) json["nonce"] = request.nonce;
  return json;
}

Result<EnrollRequest> enroll_request_from(const Json& json) {
  EnrollRequest request;
  Fields fields("enrolment", json);
  token(fields, "token", request.token);
  if (fields.has("nonce")) {
    fields.text("nonce", request.nonce, 32);
    if (!fields.failed() && !request.nonce.empty() && !is_nonce(request.nonce))
      fields.fail_key("nonce", "must be 32 lower-case hex digits");
  }
  return fields.finish(std::move(request));
}

Json to_json(const EnrollReply& reply) {
  return {{"device", reply.device.value},
          {"secret", reply.secret},
          {"pipeline", reply.pipeline.value},
          {"mqtt_host", reply.mqtt_host},
          {"mqtt_port", reply.mqtt_port}};
}

Result<EnrollReply> enroll_reply_from(const Json& json) {
  EnrollReply reply;
  Fields fields("enrolment reply", json);
  fields.name("device", reply.device);
  if (!fields.failed() && !is_plain_name(reply.device.value)) fields.fail_key("device", "must be a plain name");
  token(fields, "secret", reply.secret);
  fields.pipeline("pipeline", reply.pipeline);
  if (fields.has("mqtt_host")) fields.text("mqtt_host", reply.mqtt_host, kHostBytesMax);
  if (fields.has("mqtt_port")) {
    std::int64_t port = 0;
    fields.integer("mqtt_port", port, 0, 65535);
    reply.mqtt_port = static_cast<std::uint16_t>(port);
  }
  return fields.finish(std::move(reply));
}

Json to_json(const AccessFile& access) {
  return {{"url", access.url}, {"ca_pem", access.ca_pem}, {"token", access.token}};
}

Result<AccessFile> access_file_from(const Json& json) {
  AccessFile access;
  Fields fields("access file", json);
  url(fields, access.url);
  fields.text("ca_pem", access.ca_pem, kPemBytesMax);
  token(fields, "token", access.token);
  return fields.finish(std::move(access));
}

}  // namespace hone::wire
