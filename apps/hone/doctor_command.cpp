#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "commands.hpp"
#include "platform/posix/child_process.hpp"
#include "platform/posix/posix.hpp"
#include "shared/model/run/runtime.hpp"
#include "table.hpp"

namespace hone::app {
namespace {

constexpr double kFreeBytesWanted = 1e9;
constexpr Duration kClockOffMax = std::chrono::seconds(30);  // metadata expires by the device's clock
constexpr std::int64_t kDaysWanted = 30;

enum class Level { ok, warning, failed };

Json line(std::string_view what, Level level, const std::string& sentence) {
  constexpr const char* kNames[] = {"ok", "warning", "failed"};
  return {{"check", what}, {"result", kNames[static_cast<int>(level)]}, {"says", sentence}};
}

// Days until the authority's certificate ends; nullopt when it cannot be read.
std::optional<std::int64_t> days_left(const std::string& pem) {
  const std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const std::unique_ptr<X509, void (*)(X509*)> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
  int days = 0, seconds = 0;
  if (!certificate || ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate.get())) != 1) return std::nullopt;
  return days;
}

Json check_certificate(const std::string& ca_pem) {
  const auto days = days_left(ca_pem);
  if (!days) return line("certificate", Level::failed, "the access file holds no certificate: take the server's own admin.json");
  if (*days < 0) return line("certificate", Level::failed, "the authority's certificate has ended: restart hone-cloud with a new tls folder, devices must enrol again");
  return line("certificate", *days < kDaysWanted ? Level::warning : Level::ok,
              "the authority's certificate is good for " + std::to_string(*days) + " more days");
}

Json check_clock(const Json& status, Time sent, Time heard) {
  if (!status.contains("now") || !status["now"].is_number()) return line("clock", Level::warning, "the server does not tell its time");
  const Time middle = sent + (heard - sent) / 2;
  const Duration off = from_unix_ms(status["now"].get<std::int64_t>()) - middle;
  const Duration size = off < Duration(0) ? -off : off;
  return line("clock", size > kClockOffMax ? Level::failed : Level::ok,
              "this machine and the server differ by " + duration_in_words(size) +
                  (size > kClockOffMax ? ": set the clocks, with NTP for instance; metadata and tickets expire by them" : ""));
}

bool connects(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool ok = fd >= 0 && ::connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0;
  if (fd >= 0) ::close(fd);
  return ok;
}

// The server tells its broker's port beside its access file: only where both are on this machine.
Json check_broker(Files& files, const std::string& data) {
  const auto text = read_file(files, data + "/ready.json", 64 * 1024);
  const auto ready = text ? parse_json(*text) : Result<Json>(fail(text.error()));
  const auto port = ready ? get_int(*ready, "mqtt_port") : Result<std::int64_t>(fail(ready.error()));
  if (!port) return line("broker", Level::warning, "not known from here: " + data + "/ready.json is not there");
  if (*port == 0) {
    return platform::find_program("mosquitto")
               ? line("broker", Level::warning, "switched off: devices poll")
               : line("broker", Level::warning, "no mosquitto on this machine: devices poll; 'apt-get install mosquitto' and restart hone-cloud");
  }
  return connects(static_cast<std::uint16_t>(*port))
             ? line("broker", Level::ok, "listens on port " + std::to_string(*port))
             : line("broker", Level::failed, "does not listen on port " + std::to_string(*port) + ": see " + data + "/mqtt/mosquitto.log; devices poll meanwhile");
}

Json check_disk(const std::string& data) {
  struct statvfs info {};
  if (::statvfs(data.c_str(), &info) != 0) return line("disk", Level::warning, data + " cannot be looked at");
  const double free = static_cast<double>(info.f_bavail) * static_cast<double>(info.f_frsize);
  return line("disk", free < kFreeBytesWanted ? Level::failed : Level::ok,
              bytes_in_words(free) + " free for " + data +
                  (free < kFreeBytesWanted ? ": make room, uploads are refused when it is full" : ""));
}

Result<Json> examine(Context& context) {
  Json lines = Json::array();
  const auto runtime = model::make_onnx_runtime();
  lines.push_back(runtime ? line("inference", Level::ok, "ONNX Runtime can be used")
                          : line("inference", Level::failed, runtime.error().context));
  auto server = Server::open(context);
  if (!server) {
    lines.push_back(line("access", Level::failed, server.error().context));
  } else {
    lines.push_back(line("access", Level::ok, server->access_path() + " names " + server->access().url));
    lines.push_back(check_certificate(server->access().ca_pem));
    const auto clock = platform::make_system_clock();
    const Time sent = clock->now();
    const auto status = server->get("/v1/status");
    const Time heard = clock->now();
    lines.push_back(status ? line("server", Level::ok, "answered within " + duration_in_words(heard - sent) + ", its certificate is genuine")
                           : line("server", Level::failed, status.error().context));
    if (status) lines.push_back(check_clock(*status, sent, heard));
    const std::string data = folder_of(server->access_path());
    lines.push_back(check_broker(*context.files, data));
    lines.push_back(check_disk(data));
  }
  bool healthy = true;
  for (const Json& one : lines) healthy = healthy && one["result"] != "failed";
  if (!healthy) context.exit_code = kFailed;
  return Json{{"healthy", healthy}, {"checks", lines}};
}

}  // namespace

void add_doctor_command(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("doctor", "Look whether all is well, one line each");
  on_run(verb, context, [&context] { return examine(context); }, [](const Json& result) {
    for (const Json& one : result.at("checks"))
      std::printf("%-8s %-12s %s\n", text_of(one.at("result")).c_str(), text_of(one.at("check")).c_str(), text_of(one.at("says")).c_str());
  });
}

}  // namespace hone::app
