#include <cstdio>
#include <string>

#include "commands.hpp"
#include "table.hpp"

namespace hone::app {
namespace {

std::string next_training(const Json& pipeline) {
  if (!pipeline.at("job").is_null()) {
    const Json& job = pipeline.at("job");
    return text_of(job.at("id")) + " " + text_of(job.at("state")) + ", " + percent(job.at("progress"));
  }
  const Json& trigger = pipeline.at("next_trigger");
  if (trigger.at("due").get<bool>()) return "due";
  const Json& missing = trigger.at("samples_missing");
  return missing.is_number() ? "in " + with_commas(missing) + " samples" : "-";
}

void print_status(const Json& status) {
  if (status.at("pipelines").empty()) std::printf("The server has no pipeline. Start it with at least one pipeline file.\n");
  Table table({"pipeline", "state", ">samples", ">holdout", ">release", ">value", ">goal", "devices send", ">devices", "next training"});
  for (const Json& pipeline : status.at("pipelines")) {
    const Json& deployed = pipeline.at("deployed");
    table.row({pipeline.at("name"), text_of(pipeline.at("state")), with_commas(pipeline.at("samples")),
               with_commas(pipeline.at("parts").at("holdout")), deployed.is_null() ? "-" : deployed.at("release").dump(),
               deployed.is_null() ? "-" : percent(deployed.at("value")), percent(pipeline.at("goal")),
               text_of(pipeline.at("collect")), pipeline.at("devices").at("count").dump(), next_training(pipeline)});
  }
  if (!status.at("pipelines").empty()) table.print();
  std::printf("\nreceived: %s samples, %s\n", with_commas(status.at("received").at("rows")).c_str(),
              bytes_in_words(status.at("received").at("bytes")).c_str());
  for (const Json& pipeline : status.at("pipelines"))
    for (const char* key : {"file_error", "problem"})
      if (!pipeline.at(key).is_null()) std::printf("%s: %s\n", text_of(pipeline.at("name")).c_str(), text_of(pipeline.at(key)).c_str());
  for (const char* key : {"problem", "broker_problem"})
    if (status.contains(key) && !status.at(key).is_null()) std::printf("%s\n", text_of(status.at(key)).c_str());
}

}  // namespace

void add_status_command(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("status", "Where each pipeline stands");
  on_run(verb, context, [&context]() -> Result<Json> {
    HONE_TRY(Server server, Server::open(context));
    return server.get("/v1/status");
  }, print_status);
}

}  // namespace hone::app
