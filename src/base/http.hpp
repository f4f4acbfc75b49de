// The network port: one request, one answer. The edge and the trainer hold an HttpClient; the
// cloud is a function from HttpRequest to HttpResponse, so that a test joins the two without a
// socket and with faults in between.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace hone {

// Header names are lower case.
using HttpHeaders = std::map<std::string, std::string, std::less<>>;

struct HttpRequest {
  std::string method = "GET";
  std::string path;  // with the query, beginning with '/': "/v1/offer?state=learning"
  HttpHeaders headers;
  Bytes body;
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;
  Bytes body;

  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

// Sends to one server, whose address, trust anchor and credentials it was made with.
class HttpClient {
 public:
  virtual ~HttpClient() = default;

  struct Limits {
    std::uint64_t response_bytes_max = 64 * 1024;
    Duration timeout = std::chrono::seconds(10);
  };
  // Any HTTP status is an answer. Errors: unavailable (no connection, timeout), untrusted (TLS),
  // damaged (longer than response_bytes_max, or cut short).
  [[nodiscard]] virtual Result<HttpResponse> send(const HttpRequest& request, const Limits& limits) = 0;
};

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

// What an answer with a failing status means to the caller; the body's {"error": "..."} is the
// context. 400 404 405 413 415 422 -> invalid (404 -> not_found), 401 403 -> untrusted,
// 409 -> wrong_base, 507 -> no_space, others -> unavailable. Where several codes share a status
// (422 damaged, 409 older_than_installed), the body's {"code": "..."} tells them apart.
[[nodiscard]] Error error_of(const HttpResponse& response);

// The reverse, for the server: {"error": context, "code": name} with the matching status.
[[nodiscard]] HttpResponse response_of(const Error& error);

}  // namespace hone
