#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "columns.hpp"
#include "commands.hpp"
#include "table.hpp"
#include "training_view.hpp"

namespace hone::app {
namespace {

constexpr std::size_t kChartRows = 8;

// "12" and "job-12" name one job.
Result<std::string> job_path(const std::string& job, std::string_view what) {
  const std::string number = job.starts_with("job-") ? job.substr(4) : job;
  if (number.empty() || number.size() > 18 || number.find_first_not_of("0123456789") != std::string::npos)
    return fail(Code::invalid, "'" + job + "' names no job: give its number, as 'hone job list' shows it");
  return "/v1/jobs/job-" + number + std::string(what);
}

Result<Json> get_of_job(Context& context, const std::string& job, std::string_view what) {
  HONE_TRY(const std::string path, job_path(job, what));
  HONE_TRY(Server server, Server::open(context));
  return server.get(path);
}

std::string seconds_in_words(const Json& seconds) {
  return duration_in_words(Duration(static_cast<std::int64_t>(seconds.get<double>() * 1000)));
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
               with_commas(job.at("samples")), seconds_in_words(job.at("seconds_train")),
               text_of(job.at("verdict")), text_of(job.at("trainer")), when(job.at("times").at("created")),
               text_of(job.at("failure").is_null() ? job.at("reason") : job.at("failure"))});
  }
  table.print();
}

// One fact a line, those that are null or empty left out.
class FactLines {
 public:
  void add(const char* name, const std::string& value) {
    if (!value.empty() && value != "-") std::printf("  %-9s %s\n", name, value.c_str());
  }
};

std::string release_and_hash(const Json& release, const Json& hash) {
  if (hash.is_null()) return "";
  const std::string model = text_of(hash);
  return release.is_number() ? "release " + release.dump() + ", model " + model : "model " + model;
}

std::string lineage_text(const Json& lineage, const char* key) {
  return lineage.contains(key) ? text_of(lineage.at(key)) : "";
}

void print_lineage(const Json& job, FactLines& facts) {
  const Json& lineage = job.at("lineage");
  facts.add("dataset", text_of(job.at("dataset")));
  facts.add("base", release_and_hash(job.value("base_release", Json()), job.at("base")));
  if (lineage.empty()) return;
  facts.add("recipe", lineage_text(lineage, "recipe"));
  facts.add("seed", lineage_text(lineage, "seed"));
  const std::string torch = lineage_text(lineage, "libtorch"), device = lineage_text(lineage, "device");
  facts.add("code", lineage_text(lineage, "hone") + (torch.empty() ? "" : ", libtorch " + torch) + (device.empty() ? "" : " on " + device));
  facts.add("scratch", lineage_text(lineage, "started_from_scratch"));
}

void print_job(const Json& job) {
  const std::string verdict = text_of(job.at("verdict"));
  std::printf("%s  %s  %s%s\n", text_of(job.at("id")).c_str(), text_of(job.at("pipeline")).c_str(), text_of(job.at("state")).c_str(),
              verdict == "-" ? "" : (", the gate says " + verdict).c_str());
  FactLines facts;
  facts.add("reason", text_of(job.at("reason")));
  facts.add("failure", text_of(job.at("failure")));
  facts.add("attempts", job.at("attempts").dump() + (job.at("trainer").is_null() ? "" : ", the last by trainer " + text_of(job.at("trainer"))));
  facts.add("progress", percent(job.at("progress")));
  facts.add("samples", with_commas(job.at("samples")));
  const Json& times = job.at("times");
  for (const char* time : {"created", "leased", "ended", "judged"}) facts.add(time, when(times.at(time)));
  if (!job.at("model").is_null()) {
    char trained[96];
    std::snprintf(trained, sizeof trained, "in %s, validation %.4f", seconds_in_words(job.at("seconds_train")).c_str(),
                  job.at("validation_metric").is_number() ? job.at("validation_metric").get<double>() : 0.0);
    facts.add("trained", trained);
    facts.add("model", text_of(job.at("model")));
  }
  print_lineage(job, facts);
  for (const std::string& line : curves(job.at("points"), terminal_columns(STDOUT_FILENO) - 1, kChartRows, glyphs_of_locale()))
    std::printf("%s\n", line.c_str());
}

void print_log(const Json& answer) {
  if (answer.at("lines").empty()) {
    std::printf("No line has come from a trainer for %s.\n", text_of(answer.at("job")).c_str());
    return;
  }
  const bool several = answer.at("lines").front().at("attempt") != answer.at("lines").back().at("attempt");
  std::int64_t expected = 0;
  Json attempt;
  for (const Json& line : answer.at("lines")) {
    const std::int64_t number = line.at("number");
    if (line.at("attempt") != attempt) {
      attempt = line.at("attempt");
      expected = number;
      if (several) std::printf("-- attempt %s\n", attempt.dump().c_str());
    }
    if (number > expected) std::printf("-- %s lines are missing\n", with_commas(number - expected).c_str());
    expected = number + 1;
    std::printf("%s  %s\n", when(line.at("at")).c_str(), text_of(line.at("text")).c_str());
  }
}

}  // namespace

void add_job_commands(CLI::App& app, Context& context) {
  struct Options {
    std::string pipeline, job, reason;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* job = app.add_subcommand("job", "Trainings, past and present");
  job->require_subcommand(1);

  CLI::App* list = job->add_subcommand("list", "Every training job, the newest ones of each pipeline");
  list->add_option("pipeline", options->pipeline, "Only this pipeline's");
  on_run(list, context, [&context, options]() -> Result<Json> {
    if (!options->pipeline.empty()) {
      HONE_CHECK(pipeline_path(options->pipeline, ""));
    }
    HONE_TRY(Server server, Server::open(context));
    return server.get(options->pipeline.empty() ? "/v1/jobs" : "/v1/jobs?pipeline=" + options->pipeline);
  }, print_jobs);

  CLI::App* show = job->add_subcommand("show", "One job: state, curve, and all that its model came from");
  show->add_option("job", options->job, "Its number")->required();
  on_run(show, context, [&context, options] { return get_of_job(context, options->job, ""); }, print_job);

  CLI::App* log = job->add_subcommand("log", "What trainers logged about one job");
  log->add_option("job", options->job, "Its number")->required();
  on_run(log, context, [&context, options] { return get_of_job(context, options->job, "/log"); }, print_log);

  CLI::App* cancel = job->add_subcommand("cancel", "Stop a job that is queued or running; it is not taken up again");
  cancel->add_option("job", options->job, "Its number")->required();
  cancel->add_option("--reason", options->reason, "Why; stands in the job");
  on_run(cancel, context, [&context, options]() -> Result<Json> {
    HONE_TRY(const std::string path, job_path(options->job, "/cancel"));
    HONE_TRY(Server server, Server::open(context));
    return server.post(path, {{"reason", options->reason}});
  }, [](const Json& done) {
    const bool ran = done.at("was") == "leased";
    std::printf("%s is cancelled%s.\n", text_of(done.at("job")).c_str(), ran ? "; its trainer stops at its next heartbeat" : "");
  });
}

}  // namespace hone::app
