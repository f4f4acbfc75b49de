// hone-cloud: the whole cloud in one process: HTTPS, SQLite, a blob folder and a mosquitto.
//
//   hone-cloud --data DIR [--config server.toml] [--listen 127.0.0.1:8443] [--mqtt-port 8883] PIPELINE.toml...
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "cloud.hpp"
#include "platform/posix/posix.hpp"
#include "server_file.hpp"

namespace {

using namespace hone;

struct Flags {
  std::string data, config, listen, mqtt_port, log_level;
  std::vector<std::string> hosts, pipelines;
};

// The server file, with what the flags say over it.
Result<app::ServerSettings> settings_from(const Flags& flags) {
  app::ServerSettings settings;
  if (!flags.config.empty()) {
    const auto files = platform::make_posix_files();
    const auto text = read_file(*files, flags.config, app::kServerFileBytesMax);
    if (!text) return fail(text.error().code, "the server file " + flags.config + " cannot be read: " + text.error().context);
    HONE_TRY(settings, app::parse_server_file(as_text(*text), flags.config));
  }
  if (!flags.data.empty()) settings.data = flags.data;
  if (!flags.listen.empty()) settings.listen = flags.listen;
  if (!flags.log_level.empty()) settings.log_level = flags.log_level;
  if (!flags.hosts.empty()) settings.hosts = flags.hosts;
  if (!flags.pipelines.empty()) settings.pipelines = flags.pipelines;
  if (!flags.mqtt_port.empty()) {
    HONE_TRY(settings.mqtt_port, app::parse_mqtt_port(flags.mqtt_port));
  }
  return settings;
}

void set_up_log(const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>("hone-cloud", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l: %v", spdlog::pattern_time_type::utc);
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

// The option as a check, so that it is wrong usage (2) and not a failure (1).
std::string is_listen(const std::string& text) {
  const auto parsed = app::parse_listen(text);
  return parsed ? std::string() : parsed.error().context;
}
std::string is_mqtt_port(const std::string& text) {
  const auto parsed = app::parse_mqtt_port(text);
  return parsed ? std::string() : parsed.error().context;
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  CLI::App cli("Serves devices, trainers and people: takes samples in, has models trained, gates, signs and publishes them.",
               "hone-cloud");
  cli.add_option("--data", flags.data, "Folder for everything that is kept: database, blobs, keys, repository");
  cli.add_option("--config", flags.config, "Server file (TOML); flags win over it");
  cli.add_option("--listen", flags.listen, "Address and port for HTTPS [127.0.0.1:8443]; port 0 takes any free one")->check(is_listen);
  cli.add_option("--mqtt-port", flags.mqtt_port, "Port of the broker that it runs [8883]; 0: any free one; off: none")
      ->check(is_mqtt_port);
  cli.add_option("--host", flags.hosts, "Name or address that devices reach this machine by; the first one stands in tickets")
      ->take_all()->expected(1)->allow_extra_args(false);
  cli.add_option("--log-level", flags.log_level, "trace, debug, info [default], warn or error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}));
  cli.add_option("pipelines", flags.pipelines, "Pipeline files; read again when they change");
  try {
    cli.parse(argc, argv);
    if (flags.data.empty() && flags.config.empty()) throw CLI::RequiredError("--data (or --config with data)");
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : 2;
  }
  const auto settings = settings_from(flags);
  Result<> done = settings ? Result<>() : fail(settings.error());
  if (done && settings->data.empty()) done = fail(Code::invalid, "no data folder: name one with --data, or 'data' in " + flags.config);
  if (done && settings->pipelines.empty())
    done = fail(Code::invalid, "no pipeline file: name at least one; 'hone init' writes one to begin with");
  if (done) {
    set_up_log(settings->log_level);
    done = app::run_cloud(*settings);
  }
  if (done) return 0;
  std::fprintf(stderr, "hone-cloud: %s\n", done.error().context.c_str());
  return 1;
}
