// What every verb shares: the global options, the way to the server, and how results are told.
//
// A verb computes one Json value. With --json that value is printed as it is; else a function
// prints it for people. Errors are one sentence on standard error, in JSON on standard output too.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/http.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "shared/wire/messages.hpp"

namespace hone::app {

enum Exit : int { kDone = 0, kFailed = 1, kWrongUsage = 2, kGateSaidNo = 3 };

struct Context {
  bool json = false;
  std::string access;  // --access; empty: $HONE_ACCESS, else hone-data/admin.json
  int exit_code = kDone;
  std::unique_ptr<Files> files;
};

// A server, with the admin's credential.
class Server {
 public:
  [[nodiscard]] static Result<Server> open(const Context& context);
  [[nodiscard]] Result<Json> get(const std::string& path);
  [[nodiscard]] Result<Json> post(const std::string& path, const Json& body);

  [[nodiscard]] const wire::AccessFile& access() const { return access_; }
  [[nodiscard]] const std::string& access_path() const { return access_path_; }

 private:
  Server(wire::AccessFile access, std::string access_path);
  [[nodiscard]] Result<Json> send(const HttpRequest& request);
  wire::AccessFile access_;
  std::string access_path_;
  std::unique_ptr<HttpClient> client_;
};

// Prints the result and sets the exit code.
void report(Context& context, const Result<Json>& result, const std::function<void(const Json&)>& print);

// What `work` returns; `invalid` when an answer of another version of the server lacks a key.
[[nodiscard]] Result<Json> guarded(const std::function<Result<Json>()>& work);

// Lets `verb` run `work` and report what it returns. `context` must outlive the parse.
void on_run(CLI::App* verb, Context& context, std::function<Result<Json>()> work, std::function<void(const Json&)> print);

// "/v1/pipelines/<name>/<what>", refusing names that cannot be one.
[[nodiscard]] Result<std::string> pipeline_path(const std::string& name, std::string_view what);

}  // namespace hone::app
