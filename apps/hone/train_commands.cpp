#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "commands.hpp"
#include "table.hpp"

namespace hone::app {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(500);

struct TrainOptions {
  std::string pipeline, reason;
  bool wait = false;
};

Result<Json> find_job(Server& server, const std::string& pipeline, const std::string& id) {
  HONE_TRY(const Json answer, server.get("/v1/jobs?pipeline=" + pipeline));
  HONE_TRY(const Json* jobs, get_array(answer, "jobs"));
  for (const Json& job : *jobs) {
    HONE_TRY(const std::string found, get_string(job, "id"));
    if (found == id) return job;
  }
  return fail(Code::not_found, "the server knows no job " + id + " any more");
}

void show_progress(const Json& job) {
  if (::isatty(STDERR_FILENO) != 1) return;
  constexpr int kWidth = 40;
  const double share = job.value("progress", 0.0);
  const auto full = static_cast<std::size_t>(share * kWidth);
  std::fprintf(stderr, "\r%s %-9s [%s%s] %3.0f%%", text_of(job.at("id")).c_str(), text_of(job.at("state")).c_str(),
               std::string(full, '#').c_str(), std::string(kWidth - full, ' ').c_str(), 100 * share);
}

// Until the gate has judged the job's candidate, or the job has ended without one.
Result<Json> wait_for_verdict(Server& server, const std::string& pipeline, const std::string& id) {
  for (;;) {
    HONE_TRY(const Json job, find_job(server, pipeline, id));
    show_progress(job);
    const std::string state = text_of(job.value("state", Json()));
    const bool judged = job.contains("verdict") && !job["verdict"].is_null();
    if (judged || state == "failed" || state == "cancelled") {
      if (::isatty(STDERR_FILENO) == 1) std::fprintf(stderr, "\n");
      if (!judged) return fail(Code::unavailable, id + " " + state + ": " + text_of(job.value("failure", Json())));
      return job;
    }
    std::this_thread::sleep_for(kLookEvery);
  }
}

Result<Json> train(Context& context, const TrainOptions& options) {
  HONE_TRY(const std::string path, pipeline_path(options.pipeline, "train"));
  HONE_TRY(Server server, Server::open(context));
  HONE_TRY(const Json answer, server.post(path, {{"reason", options.reason}}));
  if (!options.wait) return answer;
  HONE_TRY(const std::string id, get_string(answer, "job"));
  HONE_TRY(const Json job, wait_for_verdict(server, options.pipeline, id));
  const std::string verdict = text_of(job["verdict"]);
  if (verdict != "promote") context.exit_code = kGateSaidNo;
  return Json{{"job", id}, {"verdict", verdict}};
}

void print_jobs(const Json& answer) {
  const Json& jobs = answer.at("jobs");
  if (jobs.empty()) {
    std::printf("No training yet: 'hone status' says what the first one waits for.\n");
    return;
  }
  Table table({"job", "pipeline", "state", ">progress", ">samples", ">trained for", "verdict", "trainer", "created", "reason"});
  for (const Json& job : jobs) {
    table.row({job.at("id"), job.at("pipeline"), text_of(job.at("state")), percent(job.at("progress")),
               with_commas(job.at("samples")),
               duration_in_words(Duration(static_cast<std::int64_t>(job.at("seconds_train").get<double>() * 1000))),
               text_of(job.at("verdict")), text_of(job.at("trainer")), when(job.at("times").at("created")),
               text_of(job.at("failure").is_null() ? job.at("reason") : job.at("failure"))});
  }
  table.print();
}

}  // namespace

void add_train_commands(CLI::App& app, Context& context) {
  const auto options = std::make_shared<TrainOptions>();
  CLI::App* verb = app.add_subcommand("train", "Have a pipeline trained now, whatever its triggers say");
  verb->add_option("pipeline", options->pipeline)->required();
  verb->add_option("--reason", options->reason, "Why; stands in the job");
  verb->add_flag("--wait", options->wait, "Wait for the gate's verdict; exit status 3 when it is not 'promote'");
  on_run(verb, context, [&context, options] { return train(context, *options); }, [](const Json& done) {
    if (done.contains("verdict"))
      std::printf("%s: %s. 'hone gate show' says why.\n", text_of(done.at("job")).c_str(), text_of(done.at("verdict")).c_str());
    else
      std::printf("%s is queued. Follow it with 'hone job list'.\n", text_of(done.at("job")).c_str());
  });

  CLI::App* job = app.add_subcommand("job", "Trainings, past and present");
  job->require_subcommand(1);
  const auto pipeline = std::make_shared<std::string>();
  CLI::App* list = job->add_subcommand("list", "Every training job, the newest ones of each pipeline");
  list->add_option("pipeline", *pipeline, "Only this pipeline's");
  on_run(list, context, [&context, pipeline]() -> Result<Json> {
    if (!pipeline->empty()) {
      HONE_CHECK(pipeline_path(*pipeline, ""));
    }
    HONE_TRY(Server server, Server::open(context));
    return server.get(pipeline->empty() ? "/v1/jobs" : "/v1/jobs?pipeline=" + *pipeline);
  }, print_jobs);
}

}  // namespace hone::app
