#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "platform/posix/child_process.hpp"
#include "programs.hpp"
#include "server_file.hpp"
#include "signal_file.hpp"

namespace hone::app {
namespace {

using platform::ChildProcess;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr Duration kTrainerPauseMin = std::chrono::seconds(1);
constexpr Duration kTrainerPauseMax = std::chrono::seconds(60);
constexpr Duration kStopWithin = std::chrono::seconds(5);

struct ServeOptions {
  std::string data, config, listen, mqtt_port, log_level, commands;
  std::vector<std::string> hosts, pipelines;
  bool no_trainer = false;
};

std::vector<std::string> cloud_command(const std::string& path, const ServeOptions& options) {
  std::vector<std::string> argv{path, "--data", options.data};
  const auto add = [&](const char* flag, const std::string& value) {
    if (!value.empty()) argv.insert(argv.end(), {flag, value});
  };
  add("--config", options.config);
  add("--listen", options.listen);
  add("--mqtt-port", options.mqtt_port);
  add("--log-level", options.log_level);
  for (const std::string& host : options.hosts) add("--host", host);
  argv.insert(argv.end(), options.pipelines.begin(), options.pipelines.end());
  return argv;
}

// A trainer that ends is started again, after a pause that grows while it keeps ending.
class Trainer {
 public:
  explicit Trainer(std::vector<std::string> argv) : argv_(std::move(argv)) {}

  void keep_running() {
    const SteadyTime now = std::chrono::steady_clock::now();
    if (child_ != nullptr) {
      const auto status = child_->exited();
      if (!status) return;
      if (now - started_ > kTrainerPauseMax) pause_ = kTrainerPauseMin;
      std::fprintf(stderr, "hone: hone-trainer ended with status %d; starting it again in %lld s\n", *status,
                   static_cast<long long>(pause_.count() / 1000));
      child_.reset();
      again_ = now + pause_;
      pause_ = std::min(2 * pause_, kTrainerPauseMax);
    }
    if (now < again_) return;
    started_ = now;
    auto child = ChildProcess::start(argv_);
    if (child) child_ = std::move(*child);
    else again_ = now + kTrainerPauseMax;
  }
  void stop() {
    if (child_ == nullptr) return;
    child_->send_signal(SIGTERM);
    (void)child_->wait(kStopWithin);  // then it is killed
    child_.reset();
  }

 private:
  std::vector<std::string> argv_;
  std::unique_ptr<ChildProcess> child_;
  SteadyTime started_{}, again_{};
  Duration pause_ = kTrainerPauseMin;
};

// The flag, else what the server file says, else "hone-data".
Result<std::string> data_folder(Files& files, const ServeOptions& options) {
  if (!options.data.empty()) return options.data;
  if (!options.config.empty()) {
    const auto text = read_file(files, options.config, kServerFileBytesMax);
    if (!text) return fail(text.error().within("the server file " + options.config + " cannot be read"));
    HONE_TRY(const ServerSettings settings, parse_server_file(as_text(*text), options.config));
    if (!settings.data.empty()) return settings.data;
  }
  return std::string("hone-data");
}

Result<Json> serve(Files& files, ServeOptions options) {
  HONE_TRY(options.data, data_folder(files, options));
  HONE_TRY(const std::string cloud_path, program("hone-cloud", "build it with 'make build'"));
  std::optional<Trainer> trainer;
  if (!options.no_trainer) {
    HONE_TRY(const std::string path, program("hone-trainer", "build it, or serve without one with --no-trainer"));
    std::vector<std::string> argv{path, "--access", options.data + "/trainer.json", "--work",
                                  options.data + "/trainer", "--wait", "60"};
    if (!options.commands.empty()) argv.insert(argv.end(), {"--commands", options.commands});
    trainer.emplace(std::move(argv));
  }
  SignalFile signals;
  HONE_TRY(const auto cloud, ChildProcess::start(cloud_command(cloud_path, options)));
  for (;;) {
    if (const auto status = cloud->exited()) {  // it has said why
      if (trainer) trainer->stop();
      return fail(Code::unavailable, "hone-cloud ended with status " + std::to_string(*status));
    }
    if (trainer) trainer->keep_running();
    if (signals.wait(std::chrono::seconds(1))) break;
  }
  cloud->send_signal(SIGTERM);
  if (trainer) trainer->stop();
  (void)cloud->wait(kStopWithin);
  return Json{{"stopped", true}};
}

}  // namespace

void add_serve_command(CLI::App& app, Context& context) {
  const auto options = std::make_shared<ServeOptions>();
  CLI::App* verb = app.add_subcommand("serve", "Run the cloud on this machine, with a trainer beside it, until Ctrl-C");
  verb->add_option("--data", options->data, "Folder for everything that is kept [hone-data]");
  verb->add_option("--config", options->config, "Server file (TOML); flags win over it");
  verb->add_option("--listen", options->listen, "Address and port for HTTPS [127.0.0.1:8443]");
  verb->add_option("--mqtt-port", options->mqtt_port, "Port of the broker [8883]; 0: any free one; off: none");
  verb->add_option("--host", options->hosts, "Name or address that devices reach this machine by")
      ->take_all()->expected(1)->allow_extra_args(false);
  verb->add_option("--log-level", options->log_level, "trace, debug, info, warn or error");
  verb->add_option("--commands", options->commands, "Folder of programs that pipelines may name; without it none are run");
  verb->add_flag("--no-trainer", options->no_trainer, "Start no trainer: others lease the jobs");
  verb->add_option("pipelines", options->pipelines, "Pipeline files");
  on_run(verb, context, [&context, options] { return serve(*context.files, *options); }, [](const Json&) {});
}

}  // namespace hone::app
