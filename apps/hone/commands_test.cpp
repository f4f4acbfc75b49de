// The verbs against a server that answers as it is told to.
#include "commands.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "cloud/front/http/server.hpp"
#include "cloud/front/http/testing_certificate.hpp"
#include "platform/posix/posix.hpp"
#include "shared/pipeline/pipeline.hpp"

namespace hone::app {
namespace {

namespace fs = std::filesystem;

struct Done {
  int status = 0;
  std::string out, err;
  [[nodiscard]] Json json() const { return Json::parse(out); }
};

class CommandsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "hone-cli-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    server_.reset();
    fs::remove_all(folder_);
  }

  void serve() {
    cloud::HttpsOptions options;
    options.certificate_pem = certificate_.certificate_pem;
    options.private_key_pem = certificate_.private_key_pem;
    auto server = cloud::HttpsServer::bind(options);
    ASSERT_TRUE(server) << server.error().context;
    server_ = std::move(*server);
    server_->start([this](const HttpRequest& request) {
      const std::lock_guard lock(mutex_);
      asked_[request.method + " " + request.path] = to_string(request.body);
      authorization_ = request.headers.at("authorization");
      const auto found = answers_.find(request.method + " " + request.path);
      if (found == answers_.end()) return response_of(Error(Code::not_found, "no pipeline of that name"));
      HttpResponse response = found->second;
      return response;
    });
    write_access("https://127.0.0.1:" + std::to_string(server_->port()));
  }
  void answer(const std::string& what, const Json& body, int status = 200) {
    const std::lock_guard lock(mutex_);
    answers_[what] = {status, {}, dump_bytes(body)};
  }
  void write_access(const std::string& url) {
    const wire::AccessFile access{url, certificate_.ca_pem, "the-token"};
    ASSERT_TRUE(write_file_atomically(*files_, access_path(), dump_bytes(wire::to_json(access))));
  }
  std::string access_path() { return folder_ + "/admin.json"; }

  Done run(std::vector<std::string> words) {
    Context context;
    context.files = platform::make_posix_files();
    CLI::App app("", "hone");
    app.require_subcommand(1);
    app.fallthrough();
    app.add_flag("--json", context.json);
    app.add_option("--access", context.access);
    add_init_command(app, context);
    add_device_commands(app, context);
    add_train_commands(app, context);
    add_status_command(app, context);
    add_release_commands(app, context);
    add_doctor_command(app, context);
    words.insert(words.end(), {"--access", access_path()});
    std::reverse(words.begin(), words.end());  // as CLI11 wants a vector
    Done done;
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    try {
      app.parse(words);
      done.status = context.exit_code;
    } catch (const CLI::ParseError&) {
      done.status = kWrongUsage;
    }
    done.out = ::testing::internal::GetCapturedStdout();
    done.err = ::testing::internal::GetCapturedStderr();
    return done;
  }

  const cloud::TestingCertificate certificate_ = cloud::make_testing_certificate();
  std::unique_ptr<Files> files_ = platform::make_posix_files();
  std::string folder_;
  std::mutex mutex_;
  std::map<std::string, HttpResponse> answers_;
  std::map<std::string, std::string> asked_;
  std::string authorization_;
  std::unique_ptr<cloud::HttpsServer> server_;
};

TEST_F(CommandsTest, InitWritesAPipelineFileThatParsesAndNeverOverwrites) {
  const std::string file = folder_ + "/digits.toml";
  EXPECT_EQ(run({"init", "digits", "-o", file}).status, kDone);
  const auto text = read_file(*files_, file, kPipelineBytesMax);
  ASSERT_TRUE(text);
  const auto pipeline = parse_pipeline(as_text(*text), file);
  ASSERT_TRUE(pipeline) << pipeline.error().context;
  EXPECT_EQ(pipeline->name.value, "digits");
  const Done again = run({"init", "digits", "-o", file});
  EXPECT_EQ(again.status, kFailed);
  EXPECT_NE(again.err.find("is there already"), std::string::npos);
  EXPECT_EQ(run({"init", "No Name", "-o", folder_ + "/x.toml"}).status, kFailed);
}

TEST_F(CommandsTest, EnrollWritesOneSecretFileATicket) {
  serve();
  answer("POST /v1/tickets", {{"tickets", {{{"token", "a"}}, {{"token", "b"}}}}});
  const Done done = run({"device", "enroll", "--pipeline", "digits", "--count", "2", "--valid", "30m", "--out", folder_ + "/t", "--json"});
  ASSERT_EQ(done.status, kDone) << done.err;
  EXPECT_EQ(Json::parse(asked_.at("POST /v1/tickets")), (Json{{"pipeline", "digits"}, {"count", 2}, {"valid_s", 1800}}));
  EXPECT_EQ(authorization_, "Bearer the-token");
  const Json paths = done.json().at("tickets");
  ASSERT_EQ(paths.size(), 2u);
  const auto text = read_file(*files_, paths[1], 1000);
  ASSERT_TRUE(text);
  EXPECT_EQ(Json::parse(as_text(*text)).at("token"), "b");
  EXPECT_EQ(fs::status(paths[1].get<std::string>()).permissions(), fs::perms::owner_read | fs::perms::owner_write);

  run({"device", "enroll", "--pipeline", "digits", "--count", "2", "--out", folder_ + "/t"});
  EXPECT_EQ(files_->list(folder_ + "/t")->size(), 4u);  // none was overwritten
}

TEST_F(CommandsTest, EnrollRefusesWhatItCannotDo) {
  serve();
  EXPECT_EQ(run({"device", "enroll", "--pipeline", "digits", "--valid", "soon"}).status, kFailed);
  EXPECT_EQ(run({"device", "enroll", "--pipeline", "digits", "--count", "2", "--out", folder_ + "/t.json"}).status, kFailed);
  EXPECT_EQ(run({"device", "enroll", "--pipeline", "digits", "--count", "0"}).status, kWrongUsage);
  EXPECT_EQ(run({"device", "enroll"}).status, kWrongUsage);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(CommandsTest, AServerThatDoesNotRunIsSaidWithWhatToDo) {
  write_access("https://127.0.0.1:1");
  const Done done = run({"status", "--json"});
  EXPECT_EQ(done.status, kFailed);
  EXPECT_NE(done.err.find("cannot reach https://127.0.0.1:1: is hone-cloud running? start it with 'hone serve'"), std::string::npos) << done.err;
  EXPECT_EQ(done.json().at("code"), "unavailable");
}

TEST_F(CommandsTest, AMissingAccessFileIsSaidWithWhatToDo) {
  const Done done = run({"status"});
  EXPECT_EQ(done.status, kFailed);
  EXPECT_NE(done.err.find(access_path()), std::string::npos);
  EXPECT_NE(done.err.find("--access"), std::string::npos);
}

TEST_F(CommandsTest, AServerWithAnotherCertificateIsRefused) {
  serve();
  const wire::AccessFile other{"https://127.0.0.1:" + std::to_string(server_->port()), cloud::make_testing_certificate().ca_pem, "x"};
  ASSERT_TRUE(write_file_atomically(*files_, access_path(), dump_bytes(wire::to_json(other))));
  const Done done = run({"status"});
  EXPECT_EQ(done.status, kFailed);
  EXPECT_NE(done.err.find("is not the server"), std::string::npos) << done.err;
  EXPECT_TRUE(asked_.empty());
}

TEST_F(CommandsTest, WhatTheServerRefusesIsPassedOn) {
  serve();
  const Done unknown = run({"release", "list", "digit"});
  EXPECT_EQ(unknown.status, kFailed);
  EXPECT_NE(unknown.err.find("no pipeline of that name"), std::string::npos);
  EXPECT_EQ(run({"release", "list", "../etc"}).status, kFailed);
  answer("GET /v1/devices", {{"error", "not known"}, {"code", "untrusted"}}, 401);
  const Done refused = run({"device", "list"});
  EXPECT_EQ(refused.status, kFailed);
  EXPECT_NE(refused.err.find(access_path()), std::string::npos);
}

TEST_F(CommandsTest, TrainWaitsForTheGateAndSaysNoWithStatus3) {
  serve();
  answer("POST /v1/pipelines/digits/train", {{"job", "job-7"}});
  answer("GET /v1/jobs?pipeline=digits", {{"jobs", {{{"id", "job-7"}, {"state", "completed"}, {"verdict", "hold"}}}}});
  EXPECT_EQ(run({"train", "digits", "--reason", "because"}).status, kDone);
  EXPECT_EQ(Json::parse(asked_.at("POST /v1/pipelines/digits/train")), (Json{{"reason", "because"}}));
  const Done held = run({"train", "digits", "--wait", "--json"});
  EXPECT_EQ(held.status, kGateSaidNo);
  EXPECT_EQ(held.json(), (Json{{"job", "job-7"}, {"verdict", "hold"}}));
  answer("GET /v1/jobs?pipeline=digits", {{"jobs", {{{"id", "job-7"}, {"state", "completed"}, {"verdict", "promote"}}}}});
  EXPECT_EQ(run({"train", "digits", "--wait"}).status, kDone);
  answer("GET /v1/jobs?pipeline=digits", {{"jobs", {{{"id", "job-7"}, {"state", "failed"}, {"failure", "no GPU"}, {"verdict", nullptr}}}}});
  const Done failed = run({"train", "digits", "--wait"});
  EXPECT_EQ(failed.status, kFailed);
  EXPECT_NE(failed.err.find("no GPU"), std::string::npos);
}

TEST_F(CommandsTest, RollbackSendsWhatWasAsked) {
  serve();
  answer("POST /v1/pipelines/digits/rollback", {{"release", 4}});
  const Done done = run({"release", "rollback", "digits", "--to", "2", "--reason", "it squints"});
  EXPECT_EQ(done.status, kDone) << done.err;
  EXPECT_EQ(Json::parse(asked_.at("POST /v1/pipelines/digits/rollback")), (Json{{"to", 2}, {"reason", "it squints"}}));
  EXPECT_NE(done.out.find("Release 4"), std::string::npos);
  EXPECT_EQ(run({"release", "rollback", "digits"}).status, kWrongUsage);
}

TEST_F(CommandsTest, AnAnswerOfAnotherVersionIsSaid) {
  serve();
  answer("GET /v1/status", {{"pipelines", {{{"title", "digits"}}}}});
  const Done done = run({"status"});
  EXPECT_EQ(done.status, kFailed);
  EXPECT_NE(done.err.find("--json"), std::string::npos);
  EXPECT_EQ(run({"status", "--json"}).status, kDone);
}

TEST_F(CommandsTest, DoctorTellsEachThingOnALine) {
  serve();
  const auto now = unix_ms(platform::make_system_clock()->now());
  answer("GET /v1/status", {{"now", now}});
  ASSERT_TRUE(write_file_atomically(*files_, folder_ + "/ready.json", dump_bytes({{"mqtt_port", server_->port()}})));
  const Json checks = run({"doctor", "--json"}).json().at("checks");
  std::map<std::string, std::string> results;
  for (const Json& check : checks) results[check.at("check")] = check.at("result");
  for (const char* check : {"access", "server", "clock", "broker"}) EXPECT_EQ(results[check], "ok") << check;
  EXPECT_EQ(results["certificate"], "warning");  // it lasts a day only

  answer("GET /v1/status", {{"now", now + 3600'000}});
  const Done late = run({"doctor"});
  EXPECT_EQ(late.status, kFailed);
  EXPECT_NE(late.out.find("failed   clock"), std::string::npos) << late.out;
}

}  // namespace
}  // namespace hone::app
