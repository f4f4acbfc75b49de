#include "context.hpp"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "platform/posix/posix.hpp"

namespace hone::app {
namespace {

constexpr std::uint64_t kAccessFileBytesMax = 256 * 1024;
constexpr HttpClient::Limits kLimits{64u << 20, std::chrono::seconds(30)};

// An answer of another version may lack a key: that is no reason to fall over.
std::string of_another_version(const Json::exception& error) {
  return std::string("the server's answer is of another version than this hone (") + error.what() + ")";
}

std::string access_path_of(const Context& context) {
  if (!context.access.empty()) return context.access;
  if (const char* path = std::getenv("HONE_ACCESS"); path != nullptr && *path != '\0') return path;
  return "hone-data/admin.json";
}

}  // namespace

Server::Server(wire::AccessFile access, std::string access_path)
    : access_(std::move(access)),
      access_path_(std::move(access_path)),
      client_(platform::make_http_client({access_.url, access_.ca_pem, "Bearer " + access_.token})) {}

Result<Server> Server::open(const Context& context) {
  const std::string path = access_path_of(context);
  const auto text = read_file(*context.files, path, kAccessFileBytesMax);
  if (!text && text.error().code == Code::not_found)
    return fail(Code::not_found, "there is no access file " + path +
                                     ": name the admin.json in the server's data folder with --access or $HONE_ACCESS; "
                                     "'hone serve' makes one");
  if (!text) return fail(text.error().within("the access file " + path + " cannot be read"));
  const auto json = parse_json(*text);
  auto access = json ? wire::access_file_from(*json) : Result<wire::AccessFile>(fail(json.error()));
  if (!access)
    return fail(Code::invalid, path + " is no access file (" + access.error().context +
                                   "): name the admin.json in the server's data folder with --access");
  return Server(std::move(*access), path);
}

Result<Json> Server::get(const std::string& path) {
  HttpRequest request;
  request.path = path;
  return send(request);
}

Result<Json> Server::post(const std::string& path, const Json& body) {
  HttpRequest request;
  request.method = "POST";
  request.path = path;
  request.headers["content-type"] = "application/json";
  request.body = dump_bytes(body);
  return send(request);
}

Result<Json> Server::send(const HttpRequest& request) {
  const auto response = client_->send(request, kLimits);
  if (!response) {
    const Error& error = response.error();
    if (error.code == Code::unavailable)
      return fail(Code::unavailable, "cannot reach " + access_.url + ": is hone-cloud running? start it with 'hone serve' (" +
                                         error.context + ")");
    if (error.code == Code::untrusted)
      return fail(Code::untrusted, access_.url + " is not the server that " + access_path_ +
                                       " was written for: take the admin.json of the server that runs there (" + error.context + ")");
    return fail(error.within(access_.url));
  }
  if (!response->ok()) {
    Error error = error_of(*response);
    if (response->status == 401 || response->status == 403)
      error = Error(Code::untrusted, "the server does not accept the credential in " + access_path_ + ": " + error.context);
    return fail(error);
  }
  auto json = parse_json(response->body);
  if (!json) return fail(json.error().within("the server's answer to " + request.path));
  return json;
}

void report(Context& context, const Result<Json>& result, const std::function<void(const Json&)>& print) {
  if (!result) {
    const Error& error = result.error();
    if (context.exit_code == kDone) context.exit_code = kFailed;
    if (context.json) std::printf("%s\n", Json{{"error", error.context}, {"code", name_of(error.code)}}.dump().c_str());
    std::fprintf(stderr, "hone: %s\n", error.context.c_str());
    return;
  }
  if (context.json) {
    std::printf("%s\n", result->dump(2, ' ', false, Json::error_handler_t::replace).c_str());
    return;
  }
  try {
    print(*result);
  } catch (const Json::exception& error) {
    context.exit_code = kFailed;
    std::fprintf(stderr, "hone: %s: see it with --json\n", of_another_version(error).c_str());
  }
}

Result<Json> guarded(const std::function<Result<Json>()>& work) {
  try {
    return work();
  } catch (const Json::exception& error) {
    return fail(Code::invalid, of_another_version(error));
  }
}

void on_run(CLI::App* verb, Context& context, std::function<Result<Json>()> work, std::function<void(const Json&)> print) {
  verb->callback([&context, work = std::move(work), print = std::move(print)] { report(context, guarded(work), print); });
}

Result<std::string> pipeline_path(const std::string& name, std::string_view what) {
  if (!is_plain_name(name))
    return fail(Code::invalid, "'" + name + "' cannot be a pipeline's name (a-z, 0-9, - and _, a letter first); 'hone status' lists them");
  return "/v1/pipelines/" + name + "/" + std::string(what);
}

}  // namespace hone::app
