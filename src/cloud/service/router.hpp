// From a request to a handler: one table says the method, the path, who may call and how large a body
// may be. A handler gets a request whose caller was checked and answers with a value or an error.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/http.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "cloud/service/access.hpp"

namespace hone::cloud {

struct Request {
  const HttpRequest& http;
  Caller caller;
  std::vector<std::string> captures;  // what stood in place of each "{}"
  std::map<std::string, std::string, std::less<>> query;
  Time now{};

  [[nodiscard]] Result<Json> json() const;  // the body, an object
  [[nodiscard]] std::string query_or(std::string_view key, std::string_view otherwise) const;
};

using Handler = std::function<Result<HttpResponse>(const Request&)>;

struct Route {
  std::string_view method;
  std::string_view path;  // "/v1/jobs/{}/fail"; a final "{...}" takes the rest
  std::vector<Who> who;   // empty: anybody
  std::size_t body_bytes_max;
  Handler handler;
};

constexpr std::size_t kNoBody = 0;
constexpr std::size_t kSmallBody = 64 * 1024;

// 404 for an unknown path, 405 for another method, 413 for a long body, 401 and 403 for the caller.
[[nodiscard]] HttpResponse dispatch(std::span<const Route> routes, const Access& access, const HttpRequest& request,
                                    Time now);

[[nodiscard]] HttpResponse json_response(const Json& body);
// For a status that the error's code alone would not give.
[[nodiscard]] HttpResponse error_response(int status, Code code, const std::string& sentence);

}  // namespace hone::cloud
