#include "cloud.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/json.hpp"
#include "cloud/front/http/server.hpp"
#include "cloud/front/mqtt/broker.hpp"
#include "cloud/front/tls/local_ca.hpp"
#include "cloud/ingest/blob_store.hpp"
#include "cloud/service/service.hpp"
#include "platform/posix/folder_lock.hpp"
#include "platform/posix/posix.hpp"
#include "shared/pipeline/pipeline.hpp"
#include "shared/wire/batch.hpp"
#include "step_loop.hpp"

namespace hone::app {
namespace {

using cloud::Broker;
using cloud::HttpsServer;
using cloud::Service;

constexpr Duration kGrace = std::chrono::milliseconds(800);     // for answers under way
constexpr Duration kCertificateLook = std::chrono::hours(6);    // it is made anew a month before it ends
constexpr Duration kStepGrace = std::chrono::milliseconds(700);  // for the step under way

// Signals as a file, so that one poll waits for them and for the broker's next look.
class Signals {
 public:
  Signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&set, number);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    fd_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~Signals() {
    if (fd_ >= 0) ::close(fd_);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // True when it is time to stop; false after `timeout`, or when a child ended.
  bool wait(Duration timeout) {
    pollfd readable{fd_, POLLIN, 0};
    (void)::poll(&readable, 1, static_cast<int>(timeout.count()));
    bool stop = false;
    signalfd_siginfo info{};
    while (::read(fd_, &info, sizeof info) == sizeof info)
      stop = stop || info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT;
    return stop;
  }

 private:
  int fd_ = -1;
};

std::uint64_t body_bytes_max(std::string_view method, std::string_view path) {
  if (method == "PUT" && path.starts_with("/v1/blobs/")) return cloud::kModelBytesMax;
  if (method == "POST" && path.starts_with("/v1/pipelines/") && path.ends_with("/batches"))
    return wire::kBatchCompressedBytesMax;
  return 64 * 1024;
}

// Before anything is started: a typing error in a pipeline file should cost no more than its message.
Result<> check_pipelines(Files& files, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    const auto text = read_file(files, path, kPipelineBytesMax);
    if (!text) return fail(text.error().code, "the pipeline file " + path + " cannot be read: " + text.error().context);
    HONE_CHECK(parse_pipeline(as_text(*text), path));
  }
  return {};
}

Result<std::unique_ptr<Broker>> open_broker(Files& files, Random& random, const ServerSettings& settings,
                                            const ListenAddress& listen, const cloud::LocalTls& tls) {
  cloud::BrokerOptions options;
  options.folder = settings.data + "/mqtt";
  options.address = listen.address;
  options.port = settings.mqtt_port.port;
  options.ca_pem = tls.ca_pem;
  options.certificate_pem = tls.certificate_pem;
  options.private_key_pem = tls.private_key_pem;
  if (const char* program = std::getenv("HONE_MOSQUITTO")) options.program = program;
  options.log = [](std::string_view sentence) { spdlog::warn("{}", sentence); };
  auto broker = Broker::open(files, random, std::move(options));
  if (broker) {
    spdlog::info("mosquitto listens on {}:{}", listen.address, (*broker)->port());
    return broker;
  }
  if (broker.error().code == Code::invalid) return broker;  // a wrong setting: say so and stop
  spdlog::warn("going on without a broker: {}", broker.error().context);
  return std::unique_ptr<Broker>();
}

HttpHandler logged(Service& service) {
  return [&service](const HttpRequest& request) {
    const auto began = std::chrono::steady_clock::now();
    HttpResponse response = service.handle(request);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
    spdlog::debug("{} {} -> {} in {:.1f} ms, {} bytes in, {} out", request.method, request.path, response.status,
                  took.count(), request.body.size(), response.body.size());
    return response;
  };
}

Result<> renew_certificate(Result<cloud::LocalTls> opened, cloud::LocalTls& tls, HttpsServer& server, Broker* broker) {
  HONE_TRY(cloud::LocalTls fresh, std::move(opened));
  if (fresh.certificate_pem == tls.certificate_pem) return {};
  HONE_CHECK(server.replace_certificate(fresh.certificate_pem, fresh.private_key_pem));
  if (broker != nullptr) {
    HONE_CHECK(broker->replace_certificate(fresh.certificate_pem, fresh.private_key_pem));
  }
  tls = std::move(fresh);
  spdlog::info("the server's certificate was made anew");
  return {};
}

// Ends both before what they call is gone, on every way out.
struct Running {
  HttpsServer& server;
  StepLoop& loop;
  ~Running() {
    server.stop(Duration(0));
    (void)loop.stop(std::chrono::hours(1));
  }
};

std::string url_of(const std::string& address, std::uint16_t port) {
  const bool six = address.find(':') != address.npos;
  return "https://" + (six ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

}  // namespace

Result<> run_cloud(const ServerSettings& settings) {
  Signals signals;
  const auto files = platform::make_posix_files();
  const auto clock = platform::make_system_clock();
  const auto random = platform::make_system_random();
  HONE_TRY(const ListenAddress listen, parse_listen(settings.listen));
  HONE_CHECK(check_pipelines(*files, settings.pipelines));
  HONE_CHECK(files->make_folders(settings.data));
  HONE_TRY(const auto lock, platform::FolderLock::take(settings.data, "hone-cloud", "--data"));
  const std::string ready_file = settings.data + "/ready.json";
  HONE_CHECK(files->remove(ready_file));

  std::vector<std::string> hosts{listen.address, "127.0.0.1", "localhost"};
  hosts.insert(hosts.end(), settings.hosts.begin(), settings.hosts.end());
  const auto open_tls = [&] {
    return cloud::open_local_tls(*files, *random, settings.data + "/tls", hosts, clock->now());
  };
  HONE_TRY(cloud::LocalTls tls, open_tls());

  // Bound first: the address goes into tickets. Served last, when all is open.
  cloud::HttpsOptions https;
  https.address = listen.address;
  https.port = listen.port;
  https.certificate_pem = tls.certificate_pem;
  https.private_key_pem = tls.private_key_pem;
  https.body_bytes_max = body_bytes_max;
  HONE_TRY(const auto server, HttpsServer::bind(std::move(https)));

  std::unique_ptr<Broker> broker;
  if (!settings.mqtt_port.off) {
    HONE_TRY(broker, open_broker(*files, *random, settings, listen, tls));
  }
  HONE_TRY(const auto runtime, model::make_onnx_runtime(model::kUntriedRunMax));

  // The first name that was given, else the address that it listens on.
  const std::string host = settings.hosts.empty() ? listen.address : settings.hosts.front();
  cloud::ServiceConfig config;
  config.data_folder = settings.data;
  config.database = settings.data + "/hone.db";
  config.pipeline_files = settings.pipelines;
  config.url = url_of(host, server->port());
  config.ca_pem = tls.ca_pem;
  config.mqtt_host = broker ? host : "";
  config.mqtt_port = broker ? broker->port() : 0;
  StepLoop loop;
  cloud::ServicePorts ports{*files, *clock, *random, *runtime};
  ports.hints = broker.get();
  ports.accounts = broker.get();
  ports.wake = [&loop] { loop.wake(); };
  ports.log = [](std::string_view line) { spdlog::info("{}", line); };
  HONE_TRY(const auto service, Service::open(config, ports));

  const Running running{*server, loop};
  server->start(logged(*service));
  loop.start([&] { return service->step(clock->now()); });
  const Json ready = {{"url", config.url}, {"mqtt_port", config.mqtt_port}, {"pid", ::getpid()}};
  HONE_CHECK(write_file_atomically(*files, ready_file, dump_bytes(ready)));
  spdlog::info("serving {}; pipelines: {}", config.url, settings.pipelines.size());

  Time certificate_seen = clock->now();
  Duration look(0);
  while (!signals.wait(look)) {
    const Time now = clock->now();
    look = broker ? broker->step(now) : std::chrono::seconds(60);
    if (now - certificate_seen < kCertificateLook) continue;
    certificate_seen = now;
    const auto renewed = renew_certificate(open_tls(), tls, *server, broker.get());
    if (!renewed) spdlog::error("the server's certificate cannot be renewed: {}", renewed.error().context);
  }

  spdlog::info("stopping");
  (void)files->remove(ready_file);
  server->stop(kGrace);
  if (!loop.stop(kStepGrace)) {
    // Training gates may take long. Every step can be cut off and is taken again at the next start.
    spdlog::info("the step under way is left for the next start");
    spdlog::shutdown();
    broker.reset();
    std::_Exit(0);
  }
  spdlog::info("stopped");
  return {};
}

}  // namespace hone::app
