#include <cstdio>
#include <memory>
#include <string>

#include "commands.hpp"
#include "follow_job.hpp"
#include "local_train.hpp"
#include "table.hpp"

namespace hone::app {
namespace {

struct TrainOptions {
  std::string pipeline, reason;
  bool wait = false, watch = false;
  LocalTrainOptions local;
};

// A file is trained on here; a name is a pipeline of the server's.
bool is_local(const TrainOptions& options) {
  return options.pipeline.ends_with(".toml") || !options.local.data.empty() || !options.local.out.empty();
}

Result<Json> train_here(Context& context, TrainOptions options) {
  if (options.local.data.empty() || options.local.out.empty()) {
    context.exit_code = kWrongUsage;
    return fail(Code::invalid, "training without a server needs --data, a folder of samples, and --out, a folder for the model");
  }
  options.local.pipeline = options.pipeline;
  return train_locally(options.local);
}

Result<Json> train(Context& context, const TrainOptions& options) {
  if (is_local(options)) return train_here(context, options);
  HONE_TRY(const std::string path, pipeline_path(options.pipeline, "train"));
  HONE_TRY(Server server, Server::open(context));
  HONE_TRY(const Json answer, server.post(path, {{"reason", options.reason}}));
  if (!options.wait && !options.watch) return answer;
  HONE_TRY(const std::string id, get_string(answer, "job"));
  HONE_TRY(const Json job, follow_job(server, id, options.watch ? Shown::curve : Shown::bar));
  if (job.contains("left")) {
    context.exit_code = kFailed;  // nobody knows yet whether the gate will promote
    return Json{{"job", id}, {"state", job.at("state")}, {"left", true}};
  }
  const std::string verdict = text_of(job["verdict"]);
  if (verdict != "promote") context.exit_code = kGateSaidNo;
  return Json{{"job", id}, {"verdict", verdict}};
}

}  // namespace

void add_train_commands(CLI::App& app, Context& context) {
  const auto options = std::make_shared<TrainOptions>();
  CLI::App* verb = app.add_subcommand("train", "Have a pipeline trained now, or train on a folder of files without a server");
  verb->add_option("pipeline", options->pipeline, "A pipeline of the server's; or a file, PIPELINE.toml, to train here")->required();
  verb->add_option("--reason", options->reason, "Why; stands in the job");
  verb->add_flag("--wait", options->wait, "Wait for the gate's verdict; exit status 3 when it is not 'promote'");
  verb->add_flag("--watch", options->watch, "The same, with the curves of loss and metric; Ctrl-C leaves the job running");
  verb->add_option("--data", options->local.data, "Here: folder with .npy shards, an IDX pair or CSV files");
  verb->add_option("--out", options->local.out, "Here: folder for model.onnx and training.json");
  verb->add_option("--base", options->local.base, "Here: an ONNX file to start from");
  verb->add_option("--seed", options->local.seed, "Here: one seed gives one file on one machine")->capture_default_str();
  verb->add_option("--label-column", options->local.label_column, "Here: of CSV files, a name from the header or a number from 1");
  verb->add_option("--commands", options->local.commands,
                   "Here: folder of programs that the pipeline may name; without it none are run")
      ->check(CLI::ExistingDirectory);
  on_run(verb, context, [&context, options] { return train(context, *options); }, [](const Json& done) {
    if (done.contains("curve"))
      print_local_training(done);
    else if (done.contains("left"))
      std::printf("%s goes on without you: 'hone job show %s' says how it stands.\n", text_of(done.at("job")).c_str(), text_of(done.at("job")).c_str());
    else if (done.contains("verdict"))
      std::printf("%s: %s. 'hone gate show' says why.\n", text_of(done.at("job")).c_str(), text_of(done.at("verdict")).c_str());
    else
      std::printf("%s is queued. Follow it with 'hone job list'.\n", text_of(done.at("job")).c_str());
  });
}

}  // namespace hone::app
