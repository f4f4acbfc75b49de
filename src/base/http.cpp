#include "base/http.hpp"

#include <algorithm>
#include <array>

#include "base/json.hpp"

namespace hone {
namespace {

constexpr std::size_t kContextBytesMax = 500;

constexpr std::array kCodes = {Code::unavailable, Code::no_space,  Code::wrong_base,
                               Code::damaged,     Code::untrusted, Code::older_than_installed,
                               Code::invalid,     Code::not_found, Code::cancelled};

int status_of(Code code) {
  switch (code) {
    case Code::invalid: return 400;
    case Code::untrusted: return 401;
    case Code::not_found: return 404;
    case Code::wrong_base: return 409;
    case Code::older_than_installed: return 409;
    case Code::damaged: return 422;
    case Code::no_space: return 507;
    case Code::unavailable: return 503;
    case Code::cancelled: return 503;
  }
  return 500;
}

Code code_of(int status) {
  switch (status) {
    case 400:
    case 405:
    case 413:
    case 415:
    case 422: return Code::invalid;
    case 404: return Code::not_found;
    case 401:
    case 403: return Code::untrusted;
    case 409: return Code::wrong_base;
    case 507: return Code::no_space;
    default: return Code::unavailable;
  }
}

// It may end on a terminal or in a log line: one line, bounded.
std::string printable(std::string text) {
  if (text.size() > kContextBytesMax) text.resize(kContextBytesMax);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return text;
}

}  // namespace

Error error_of(const HttpResponse& response) {
  Error error(code_of(response.status), "the server answered with status " + std::to_string(response.status));
  const auto body = parse_json(response.body);
  if (!body) return error;
  if (const auto context = get_string(*body, "error"); context && !context->empty())
    error.context = printable(*context);
  if (const auto name = get_string(*body, "code")) {
    for (const Code code : kCodes) {
      // Only a code that this status stands for is believed, so that the two never contradict.
      if (*name == name_of(code) && status_of(code) == response.status) error.code = code;
    }
  }
  return error;
}

HttpResponse response_of(const Error& error) {
  HttpResponse response;
  response.status = status_of(error.code);
  response.headers["content-type"] = "application/json";
  response.body = dump_bytes({{"error", error.context}, {"code", name_of(error.code)}});
  return response;
}

}  // namespace hone
