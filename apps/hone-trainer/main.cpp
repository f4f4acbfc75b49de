// hone-trainer: leases training jobs from a hone cloud and works them off, until it is told to stop; or trains
// once on a folder of files, without a server.
//
//   hone-trainer --access trainer.json --work DIR [--commands DIR]
//   hone-trainer --local PIPELINE.toml --data DIR --out DIR [--commands DIR]
#include <pthread.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/code_version.hpp"
#include "base/json.hpp"
#include "local_mode.hpp"
#include "platform/posix/folder_lock.hpp"
#include "platform/posix/posix.hpp"
#include "trainer/client/job_log_sink.hpp"
#include "trainer/client/worker.hpp"

namespace {

using namespace hone;

constexpr std::uint64_t kAccessBytesMax = 256 * 1024;
constexpr Duration kLookForAccessEvery = std::chrono::milliseconds(100);

// Set once, by the signal thread; everybody who waits is woken.
class Stop {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] bool is_set() const { return set_; }
  [[nodiscard]] bool wait(Duration duration) {  // false: stop
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, duration, [this] { return set_.load(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> set_ = false;
};

// OpenBLAS and OpenMP read these once, while the loader brings libtorch in, which is before main:
// the process starts itself again with them. One thread for OpenBLAS, because libtorch already
// runs one a core; and threads that wait sleep, because a machine that also serves devices is
// slowed down a lot by threads that spin.
void set_up_threads(char** argv) {
  if (std::getenv("HONE_TRAINER_THREADS_SET") != nullptr) return;
  setenv("HONE_TRAINER_THREADS_SET", "1", 1);
  setenv("OPENBLAS_NUM_THREADS", "1", 0);
  setenv("OMP_WAIT_POLICY", "passive", 0);
  char self[4096] = {};  // by its name, so that it still is "hone-trainer" in lists of processes
  if (readlink("/proc/self/exe", self, sizeof self - 1) > 0) execv(self, argv);
  // Not fatal: training is only slower.
}

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return "trainer";
  return name;
}

Result<wire::AccessFile> read_access(Files& files, const std::string& path) {
  HONE_TRY(const Bytes bytes, read_file(files, path, kAccessBytesMax));
  HONE_TRY(const Json json, parse_json(bytes));
  return wire::access_file_from(json);
}

// A cloud that starts at the same time writes the file in a moment.
Result<wire::AccessFile> wait_for_access(Files& files, const std::string& path, Duration patience, Stop& stop) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    Result<wire::AccessFile> access = read_access(files, path);
    if (access || access.error().code != Code::not_found || std::chrono::steady_clock::now() >= until) return access;
    if (!stop.wait(kLookForAccessEvery)) return fail(Code::cancelled, "stopped");
  }
}

// Absolute, since a command works in a folder of its own.
Result<std::string> folder_of_commands(const std::string& folder) {
  if (folder.empty()) return std::string();
  char* path = realpath(folder.c_str(), nullptr);
  if (path == nullptr) return fail(Code::invalid, "--commands " + folder + ": there is no such folder");
  std::string absolute = path;
  std::free(path);
  return absolute;
}

int serve(const std::string& access_path, const std::string& work_folder, const std::string& commands,
          const std::string& name, Duration patience, Stop& stop) {
  const auto files = platform::make_posix_files();
  const auto clock = platform::make_system_clock();
  const Result<wire::AccessFile> access = wait_for_access(*files, access_path, patience, stop);
  if (stop.is_set()) return 0;
  if (!access) {
    spdlog::error("{}: {}. Name the trainer.json that hone-cloud wrote into its data folder", access_path,
                  access.error().context);
    return 1;
  }
  if (const auto made = files->make_folders(work_folder); !made) {
    spdlog::error("{}: {}", work_folder, made.error().context);
    return 1;
  }
  // Its programs work in one folder of it, and what is cached is cleared away.
  const auto lock = platform::FolderLock::take(work_folder, "hone-trainer", "--work");
  if (!lock) {
    spdlog::error("{}", lock.error().context);
    return 1;
  }
  const platform::HttpEndpoint endpoint{access->url, access->ca_pem, "Bearer " + access->token};
  const auto http = platform::make_http_client(endpoint);
  const auto heartbeat_http = platform::make_http_client(endpoint);
  trainer::LeaseKeeper keeper(*heartbeat_http, *clock);
  const auto job_log = std::make_shared<trainer::JobLogSink>(keeper);
  spdlog::default_logger()->sinks().push_back(job_log);  // before there are other threads
  trainer::WorkerPorts ports{
      *http, *files, *clock, keeper, [&](Duration d) { return stop.wait(d); }, [&] { return stop.is_set(); }};
  trainer::WorkerConfig config;
  config.name = name;
  config.work_folder = work_folder;
  config.commands_folder = commands;
  config.beats_elsewhere = true;

  std::atomic<bool> done = false;
  std::thread heart([&] {
    while (!done && stop.wait(keeper.tick())) {
    }
  });
  // As hone-cloud's ready.json: who started this process can wait for it. Loading libtorch takes its time.
  const Json ready = {{"name", name}, {"pid", ::getpid()}};
  if (const auto written = write_file_atomically(*files, work_folder + "/ready.json", dump_bytes(ready)); !written)
    spdlog::warn("{}/ready.json: {}", work_folder, written.error().context);
  spdlog::info("trainer {} works for {}", name, access->url);
  trainer::Worker worker(config, ports);
  trainer::run_worker(worker, ports);
  done = true;
  heart.join();
  spdlog::default_logger()->sinks().pop_back();  // the keeper ends here
  spdlog::info("stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  set_up_threads(argv);
  CLI::App app("Leases training jobs from a hone cloud and works them off.", "hone-trainer");
  app.set_version_flag("--version", std::string(code_version()));
  std::string access;
  std::string work;
  std::string commands;
  std::string name = host_name();
  std::string level = "info";
  double wait_s = 0;
  trainer::LocalOptions local;
  app.add_option("--access", access, "The trainer.json that hone-cloud wrote");
  app.add_option("--work", work, "Folder for cached data; may be emptied at any time");
  app.add_option("--commands", commands, "Folder of programs that pipelines may name; without it none are run");
  app.add_option("--name", name, "Name of this trainer in the cloud's lists; default: the host's")
      ->capture_default_str();
  app.add_option("--wait", wait_s, "Seconds to wait for the access file to appear")->check(CLI::Range(0.0, 86400.0));
  app.add_option("--local", local.pipeline, "Train this pipeline file on --data and write into --out, without a server")
      ->excludes("--access");
  app.add_option("--data", local.data, "With --local: folder with .npy shards, an IDX pair or CSV");
  app.add_option("--out", local.out, "With --local: folder for model.onnx and training.json");
  app.add_option("--base", local.base, "With --local: an ONNX file to start from");
  app.add_option("--seed", local.seed, "With --local")->capture_default_str();
  app.add_option("--label-column", local.label_column, "With --local: of CSV files, by name or number");
  app.add_option("--log-level", level, "Least serious level that is logged to standard error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const bool complete = local.pipeline.empty() ? !access.empty() && !work.empty() : !local.data.empty() && !local.out.empty();
  if (!complete) {
    std::fprintf(stderr, "hone-trainer: give --access and --work, or --local, --data and --out\n");
    return 2;
  }
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("trainer", std::make_shared<spdlog::sinks::stderr_sink_mt>()));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l: %v", spdlog::pattern_time_type::utc);  // as hone-cloud's
  spdlog::set_level(spdlog::level::from_str(level));

  const Result<std::string> programs = folder_of_commands(commands);
  if (!programs) {
    spdlog::error("{}", programs.error().context);
    return 1;
  }

  // One thread takes the signals; blocked in all others, they interrupt nothing.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  Stop stop;
  std::thread signal_thread([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    stop.set();
  });
  local.trainer = name;
  local.commands = *programs;
  const int status = local.pipeline.empty() ? serve(access, work, *programs, name,
                                                    Duration(static_cast<std::int64_t>(wait_s * 1000)), stop)
                                            : app::run_local(local, [&] { return stop.is_set(); });
  pthread_kill(signal_thread.native_handle(), SIGTERM);  // where it has not come from outside
  signal_thread.join();
  return status;
}
