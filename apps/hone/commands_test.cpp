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
#include <thread>
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
    add_job_commands(app, context);
    add_eval_command(app, context);
    add_status_command(app, context);
    add_watch_command(app, context);
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
  EXPECT_EQ(Json::parse(asked_.at("POST /v1/tickets")), (Json{{"pipeline", "digits"}, {"count", 2}, {"valid_s", 1800}, {"format", "onnx"}}));
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
  const auto job = [&](const char* state, const Json& failure, const Json& verdict) {
    answer("GET /v1/jobs/job-7", {{"id", "job-7"}, {"state", state}, {"trainer", "gpu"}, {"failure", failure}, {"verdict", verdict}, {"points", Json::array()}});
  };
  job("completed", nullptr, "hold");
  EXPECT_EQ(run({"train", "digits", "--reason", "because"}).status, kDone);
  EXPECT_EQ(Json::parse(asked_.at("POST /v1/pipelines/digits/train")), (Json{{"reason", "because"}}));
  const Done held = run({"train", "digits", "--wait", "--json"});
  EXPECT_EQ(held.status, kGateSaidNo);
  EXPECT_EQ(held.json(), (Json{{"job", "job-7"}, {"verdict", "hold"}}));
  job("completed", nullptr, "promote");
  EXPECT_EQ(run({"train", "digits", "--wait"}).status, kDone);
  job("failed", "no GPU", nullptr);
  const Done failed = run({"train", "digits", "--wait"});
  EXPECT_EQ(failed.status, kFailed);
  EXPECT_NE(failed.err.find("no GPU"), std::string::npos);
}

Json job_entry() {
  return {{"id", "job-7"},
          {"pipeline", "digits"},
          {"state", "completed"},
          {"reason", "36000 new samples"},
          {"failure", nullptr},
          {"progress", 1.0},
          {"attempts", 2},
          {"trainer", "gpu"},
          {"dataset", "d5"},
          {"samples", 36000},
          {"base", "b5"},
          {"base_release", 3},
          {"model", "m5"},
          {"seconds_train", 41.25},
          {"validation_metric", 0.9871},
          {"verdict", "promote"},
          {"lineage", {{"recipe", "cnn"}, {"seed", 17}, {"hone", "0.1.0+abc"}, {"libtorch", "1.13.1"}, {"device", "cpu"}}},
          {"times", {{"created", 0}, {"leased", 1000}, {"ended", 2000}, {"judged", nullptr}}},
          {"points",
           {{{"progress", 0.5}, {"epoch", 1}, {"loss", 2.5}, {"validation_metric", 0.5}, {"attempt", 2}},
            {{"progress", 1.0}, {"epoch", 2}, {"loss", 0.5}, {"validation_metric", 0.75}, {"attempt", 2}}}}};
}

TEST_F(CommandsTest, JobShowTellsAllThatAModelCameFrom) {
  serve();
  answer("GET /v1/jobs/job-7", job_entry());
  const Done done = run({"job", "show", "7"});
  ASSERT_EQ(done.status, kDone) << done.err;
  for (const char* part : {"job-7  digits  completed, the gate says promote", "36000 new samples", "2, the last by trainer gpu", "release 3, model b5", "cnn", "17",
                           "0.1.0+abc, libtorch 1.13.1 on cpu", "in 41.2 s, validation 0.9871", "loss  2.5000", "metric  0.7500"})
    EXPECT_NE(done.out.find(part), std::string::npos) << part << " in\n" << done.out;
  EXPECT_EQ(run({"job", "show", "job-7", "--json"}).json(), job_entry());
  EXPECT_EQ(run({"job", "show", "seven"}).status, kFailed);
  EXPECT_EQ(run({"job", "show", "../devices"}).status, kFailed);
}

TEST_F(CommandsTest, JobLogPrintsLinesAndSaysWhatIsMissing) {
  serve();
  answer("GET /v1/jobs/job-7/log", {{"job", "job-7"},
                                    {"lines",
                                     {{{"attempt", 1}, {"number", 1}, {"at", 0}, {"text", "info: begins"}},
                                      {{"attempt", 1}, {"number", 4}, {"at", 1000}, {"text", "warning: odd"}},
                                      {{"attempt", 2}, {"number", 1}, {"at", 2000}, {"text", "info: begins"}}}}});
  EXPECT_EQ(run({"job", "log", "7"}).out,
            "-- attempt 1\n1970-01-01T00:00:00Z  info: begins\n-- 2 lines are missing\n1970-01-01T00:00:01Z  warning: odd\n"
            "-- attempt 2\n1970-01-01T00:00:02Z  info: begins\n");
  answer("GET /v1/jobs/job-8/log", {{"job", "job-8"}, {"lines", Json::array()}});
  EXPECT_NE(run({"job", "log", "job-8"}).out.find("No line"), std::string::npos);
}

TEST_F(CommandsTest, JobCancelSendsTheReason) {
  serve();
  answer("POST /v1/jobs/job-7/cancel", {{"job", "job-7"}, {"was", "leased"}});
  const Done done = run({"job", "cancel", "7", "--reason", "wrong layers"});
  EXPECT_EQ(done.status, kDone) << done.err;
  EXPECT_EQ(Json::parse(asked_.at("POST /v1/jobs/job-7/cancel")), (Json{{"reason", "wrong layers"}}));
  EXPECT_NE(done.out.find("at its next heartbeat"), std::string::npos);
}

TEST_F(CommandsTest, TrainWatchTellsEpochsInPlainLinesWhereThereIsNoTerminal) {
  serve();
  answer("POST /v1/pipelines/digits/train", {{"job", "job-7"}});
  answer("GET /v1/jobs/job-7", job_entry());
  const Done done = run({"train", "digits", "--watch"});
  EXPECT_EQ(done.status, kDone) << done.err;
  EXPECT_EQ(done.err, "job-7  trained, at the gate\n");
  EXPECT_NE(done.out.find("job-7: promote"), std::string::npos);
}

TEST_F(CommandsTest, TrainHereNeedsDataAndAFolderForTheModel) {
  const Done done = run({"train", "digits.toml"});
  EXPECT_EQ(done.status, kWrongUsage);
  EXPECT_NE(done.err.find("--data"), std::string::npos);
  EXPECT_NE(done.err.find("--out"), std::string::npos);
}

TEST_F(CommandsTest, WatchPrintsThePictureOnceAndEventsAsTheyCome) {
  serve();
  Json pipeline = {{"name", "digits"},
                   {"state", "bootstrapping"},
                   {"samples", 0},
                   {"received", {{"rows", 0}, {"bytes", 0}}},
                   {"parts", {{"training", 0}, {"holdout", 0}}},
                   {"goal", 0.9},
                   {"collect", "all"},
                   {"deployed", nullptr},
                   {"rollout", nullptr},
                   {"job", nullptr},
                   {"next_trigger", {{"due", false}, {"samples_missing", 10}, {"not_before", nullptr}}},
                   {"devices", {{"count", 0}, {"by_release", Json::object()}, {"by_state", Json::object()}, {"spooled", 0}}},
                   {"file_error", nullptr},
                   {"problem", nullptr}};
  const auto status = [&] { return Json{{"now", 0}, {"received", pipeline["received"]}, {"jobs", Json::array()}, {"pipelines", {pipeline}}}; };
  answer("GET /v1/status", status());
  const Done once = run({"watch", "--once"});
  EXPECT_EQ(once.status, kDone) << once.err;
  EXPECT_NE(once.out.find("waits for 10 more samples"), std::string::npos) << once.out;
  EXPECT_EQ(run({"watch", "--once", "--json"}).json(), status());

  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    pipeline["devices"]["count"] = 1;
    answer("GET /v1/status", status());
  });
  const Done events = run({"watch", "--for", "3s", "--json"});
  later.join();
  EXPECT_EQ(events.status, kDone) << events.err;
  EXPECT_EQ(events.json().at("event"), "devices");
  EXPECT_EQ(run({"watch", "--for", "a while"}).status, kFailed);
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
