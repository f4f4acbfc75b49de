#include "cloud/service/router.hpp"

#include <algorithm>
#include <optional>

namespace hone::cloud {
namespace {

constexpr std::size_t kPathBytesMax = 2048;
constexpr std::size_t kQueryKeysMax = 16;

std::string_view without_query(std::string_view path) {
  return path.substr(0, path.find('?'));
}

// Values are plain names and numbers: nothing that would need percent-decoding is accepted later anyway.
std::map<std::string, std::string, std::less<>> query_of(std::string_view path) {
  std::map<std::string, std::string, std::less<>> query;
  const auto mark = path.find('?');
  if (mark == std::string_view::npos) return query;
  path.remove_prefix(mark + 1);
  while (!path.empty() && query.size() < kQueryKeysMax) {
    const auto pair = path.substr(0, path.find('&'));
    path.remove_prefix(std::min(path.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    query.emplace(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return query;
}

std::string_view next_segment(std::string_view& path) {  // path begins with '/'
  path.remove_prefix(1);
  const auto segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path) {
  std::vector<std::string> captures;
  while (!pattern.empty() && !path.empty()) {
    if (path.front() != '/') return std::nullopt;
    if (pattern == "/{...}") {
      captures.emplace_back(path.substr(1));
      return captures;
    }
    const auto wanted = next_segment(pattern);
    const auto found = next_segment(path);
    if (wanted == "{}" && !found.empty()) {
      captures.emplace_back(found);
    } else if (wanted != found) {
      return std::nullopt;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return captures;
}

std::string_view name_of(Who who) {
  switch (who) {
    case Who::anybody: return "nobody in particular";
    case Who::device: return "a device";
    case Who::trainer: return "a trainer";
    case Who::admin: return "an administrator";
  }
  return "nobody";
}

HttpResponse call(const Route& route, const Access& access, const HttpRequest& http, std::vector<std::string> captures,
                  Time now) {
  if (http.body.size() > route.body_bytes_max) {
    return error_response(413, Code::invalid,
                          "the body has " + std::to_string(http.body.size()) + " bytes, this call takes at most " +
                              std::to_string(route.body_bytes_max) + ": send less at once");
  }
  Request request{http, {}, std::move(captures), query_of(http.path), now};
  if (!route.who.empty()) {
    auto caller = access.authenticate(http);
    if (!caller) return response_of(caller.error());
    if (caller->who == Who::anybody) {
      return error_response(401, Code::untrusted,
                            "this call needs the credential of " + std::string(name_of(route.who.front())));
    }
    if (std::find(route.who.begin(), route.who.end(), caller->who) == route.who.end()) {
      return error_response(403, Code::untrusted,
                            "this call is for " + std::string(name_of(route.who.front())) + ", the credential is of " +
                                std::string(name_of(caller->who)));
    }
    request.caller = std::move(*caller);
  }
  auto response = route.handler(request);
  return response ? std::move(*response) : response_of(response.error());
}

}  // namespace

Result<Json> Request::json() const {
  HONE_TRY(Json body, parse_json(http.body));
  if (!body.is_object()) return fail(Code::invalid, "the body has to be a JSON object");
  return body;
}

std::string Request::query_or(std::string_view key, std::string_view otherwise) const {
  const auto found = query.find(key);
  return found == query.end() ? std::string(otherwise) : found->second;
}

HttpResponse dispatch(std::span<const Route> routes, const Access& access, const HttpRequest& request, Time now) {
  const auto path = without_query(request.path);
  if (request.path.size() > kPathBytesMax || path.empty() || path.front() != '/') {
    return error_response(404, Code::not_found, "this is no path of hone-cloud");
  }
  std::string allowed;
  for (const auto& route : routes) {
    auto captures = match(route.path, path);
    if (!captures) continue;
    if (route.method == request.method) return call(route, access, request, std::move(*captures), now);
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
  }
  if (allowed.empty())
    return error_response(404, Code::not_found, "there is no such call; docs/formats/messages.md lists them");
  auto response = error_response(405, Code::invalid, "this path takes " + allowed);
  response.headers["allow"] = allowed;
  return response;
}

HttpResponse json_response(const Json& body) {
  HttpResponse response;
  response.status = 200;
  response.headers["content-type"] = "application/json";
  response.headers["cache-control"] = "no-store";
  response.body = dump_bytes(body);
  return response;
}

HttpResponse error_response(int status, Code code, const std::string& sentence) {
  HttpResponse response = response_of({code, sentence});
  response.status = status;
  return response;
}

}  // namespace hone::cloud
