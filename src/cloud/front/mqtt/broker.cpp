#include "cloud/front/mqtt/broker.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "cloud/front/mqtt/hint_publisher.hpp"
#include "cloud/front/mqtt/password_file.hpp"
#include "platform/posix/child_process.hpp"

namespace hone::cloud {
namespace {

using platform::ChildProcess;

constexpr std::string_view kCloudUser = "hone-cloud";
constexpr Duration kReadyWithin = std::chrono::seconds(5);
constexpr Duration kPortFreeWithin = std::chrono::seconds(2);  // an earlier one of ours may be dying
constexpr Duration kPauseMin = std::chrono::milliseconds(100);
constexpr Duration kPauseMax = std::chrono::seconds(10);
constexpr Duration kHealthyAfter = std::chrono::seconds(10);
constexpr int kQuickDeathsMax = 3;  // then its database is suspected

class Socket {
 public:
  explicit Socket(const std::string& address, std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    name_.sin_family = AF_INET;
    name_.sin_port = htons(port);
    ok_ = fd_ >= 0 && ::inet_pton(AF_INET, address.c_str(), &name_.sin_addr) == 1;
  }
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // The port that was bound and could be listened on, or 0.
  std::uint16_t listen() {
    const int on = 1;
    socklen_t size = sizeof name_;
    if (!ok_ || ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 || ::bind(fd_, name(), sizeof name_) != 0 ||
        ::listen(fd_, 1) != 0 || ::getsockname(fd_, name(), &size) != 0)
      return 0;
    return ntohs(name_.sin_port);
  }
  bool connect() { return ok_ && ::connect(fd_, name(), sizeof name_) == 0; }

 private:
  sockaddr* name() { return reinterpret_cast<sockaddr*>(&name_); }
  int fd_;
  sockaddr_in name_{};
  bool ok_ = false;
};

std::string last_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  const std::size_t begin = text.rfind('\n');
  return std::string(begin == text.npos ? text : text.substr(begin + 1));
}

}  // namespace

struct Broker::Impl {
  Impl(Files& f, Random& r, BrokerOptions o) : files(f), random(r), options(std::move(o)) {}

  Files& files;
  Random& random;
  BrokerOptions options;
  std::string program;
  std::uint16_t port = 0;
  std::unique_ptr<HintPublisher> hints;

  mutable std::mutex mutex;  // guards accounts, child
  PasswordFile accounts;
  std::unique_ptr<ChildProcess> child;

  // The supervisor's, on its one thread.
  Time started_at{};
  std::optional<Time> start_again_at;
  Duration pause = kPauseMin;
  int quick_deaths = 0;

  [[nodiscard]] std::string path(std::string_view name) const { return options.folder + "/" + std::string(name); }

  [[nodiscard]] Result<> choose_port() {
    if (options.port == 0) {
      if (const auto text = read_file(files, path("port"), 16)) {
        std::uint16_t last = 0;
        std::from_chars(as_text(*text).data(), as_text(*text).data() + text->size(), last);
        if (last != 0) port = Socket(options.address, last).listen();
      }
      if (port == 0) port = Socket(options.address, 0).listen();
      if (port == 0) return fail(Code::unavailable, "no free port on " + options.address + " for the broker");
      return write_file_atomically(files, path("port"), as_bytes(std::to_string(port)));
    }
    const auto deadline = std::chrono::steady_clock::now() + kPortFreeWithin;
    while ((port = Socket(options.address, options.port).listen()) == 0) {
      if (std::chrono::steady_clock::now() > deadline)
        return fail(Code::invalid, "port " + std::to_string(options.port) +
                                       " is taken by another program; choose another for the broker with --mqtt-port, "
                                       "or do without one with --mqtt-port off");
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return {};
  }

  [[nodiscard]] Result<> write_certificate(const std::string& certificate_pem, const std::string& private_key_pem) {
    HONE_CHECK(write_file_atomically(files, path("server.pem"), as_bytes(certificate_pem)));
    return write_private_file_atomically(files, path("server-key.pem"), as_bytes(private_key_pem));
  }

  [[nodiscard]] Result<> write_configuration() {
    const std::string here = std::filesystem::absolute(options.folder).string();
    std::string text =
        "# Written by hone-cloud at every start: changes are lost.\n"
        "listener " + std::to_string(port) + " " + options.address + "\n"
        "certfile " + here + "/server.pem\n"
        "keyfile " + here + "/server-key.pem\n"
        "tls_version tlsv1.2\n"
        "allow_anonymous false\n"
        "password_file " + here + "/passwords\n"
        "acl_file " + here + "/acl\n"
        "max_packet_size 65536\n"
        "persistence true\n"
        "persistence_location " + here + "/\n"
        // With the defaults, what was acknowledged is lost when the broker is killed.
        "autosave_on_changes true\n"
        "autosave_interval 1\n"
        "connection_messages false\n"
        "log_dest stderr\n"
        "log_type error\n";
    if (::geteuid() == 0) text += "user root\n";  // else it would drop to a user that may not write here
    const std::string acl = "pattern read hone/v1/#\n\nuser " + std::string(kCloudUser) + "\ntopic readwrite hone/v1/#\n";
    HONE_CHECK(write_file_atomically(files, path("ca.pem"), as_bytes(options.ca_pem)));
    HONE_CHECK(write_certificate(options.certificate_pem, options.private_key_pem));
    HONE_CHECK(write_private_file_atomically(files, path("acl"), as_bytes(acl)));
    return write_private_file_atomically(files, path("mosquitto.conf"), as_bytes(text));
  }

  [[nodiscard]] Result<> write_accounts() {
    return write_private_file_atomically(files, path("passwords"), as_bytes(accounts.to_text()));
  }

  [[nodiscard]] std::string what_it_said() {
    const auto text = read_file(files, path("mosquitto.log"), 1u << 20);
    const std::string line = text ? last_line(as_text(*text)) : std::string();
    return line.empty() ? "it said nothing" : "it said: " + line;
  }

  [[nodiscard]] Result<> start() {
    platform::ChildSetup setup;
    setup.output_file = path("mosquitto.log");
    HONE_TRY(auto fresh, ChildProcess::start({program, "-c", path("mosquitto.conf")}, setup));
    const std::lock_guard lock(mutex);
    child = std::move(fresh);
    return {};
  }

  [[nodiscard]] Result<> wait_until_it_listens() {
    const auto deadline = std::chrono::steady_clock::now() + kReadyWithin;
    while (!Socket(options.address, port).connect()) {
      if (child->wait(std::chrono::milliseconds(10)))
        return fail(Code::unavailable, "the broker " + program + " ended at once; " + what_it_said());
      if (std::chrono::steady_clock::now() > deadline)
        return fail(Code::unavailable, "the broker " + program + " does not listen on port " + std::to_string(port));
    }
    return {};
  }

  void bury(Time now, int status) {
    {
      const std::lock_guard lock(mutex);
      child.reset();
    }
    if (now - started_at >= kHealthyAfter) {
      pause = kPauseMin;
      quick_deaths = 0;
    } else if (++quick_deaths >= kQuickDeathsMax) {
      // All that it remembers is published anew when it is back.
      options.log("the broker keeps dying: starting it without its database");
      (void)files.remove(path("mosquitto.db"));
      quick_deaths = 0;
    }
    options.log("the broker ended with status " + std::to_string(status) + "; " + what_it_said() + "; starting it again in " +
                std::to_string(pause.count()) + " ms, devices poll meanwhile");
    start_again_at = now + pause;
    pause = std::min(2 * pause, kPauseMax);
  }
};

Broker::Broker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Broker>> Broker::open(Files& files, Random& random, BrokerOptions options) {
  auto impl = std::make_unique<Impl>(files, random, std::move(options));
  impl->program = impl->options.program;
  if (impl->program.empty()) impl->program = platform::find_program("mosquitto").value_or("");
  if (impl->program.empty() || ::access(impl->program.c_str(), X_OK) != 0)
    return fail(Code::not_found,
                "there is no " + (impl->program.empty() ? std::string("mosquitto on this machine") : impl->program) +
                    "; devices will poll instead of being told; install it with 'apt-get install mosquitto'");
  HONE_CHECK(files.make_folders(impl->options.folder));
  HONE_CHECK(impl->choose_port());
  HONE_CHECK(impl->write_configuration());

  if (const auto text = read_file(files, impl->path("passwords"), kPasswordFileBytesMax))
    impl->accounts = PasswordFile::from_text(as_text(*text));
  const std::string secret = random.hex(24);  // the cloud's own, drawn at every start
  HONE_CHECK(impl->accounts.set(std::string(kCloudUser), secret, random));
  HONE_CHECK(impl->write_accounts());

  HONE_CHECK(impl->start());
  HONE_CHECK(impl->wait_until_it_listens());
  HONE_TRY(impl->hints, HintPublisher::open({impl->options.address, impl->port, impl->path("ca.pem"),
                                             std::string(kCloudUser), secret}));
  // It listens before it is able to take a SIGHUP, which would kill it until then: once it has
  // answered, it is able to.
  if (!impl->hints->wait_until_accepted(kReadyWithin))
    return fail(Code::unavailable, "the broker " + impl->program + " does not answer; " + impl->what_it_said());
  return std::unique_ptr<Broker>(new Broker(std::move(impl)));
}

Broker::~Broker() {
  impl_->hints.reset();
  if (impl_->child == nullptr) return;
  impl_->child->send_signal(SIGTERM);
  (void)impl_->child->wait(std::chrono::seconds(1));  // then it is killed
}

std::uint16_t Broker::port() const { return impl_->port; }

pid_t Broker::pid() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->child ? impl_->child->pid() : 0;
}

Duration Broker::step(Time now) {
  constexpr Duration kLook = std::chrono::milliseconds(500);
  if (impl_->started_at == Time{}) impl_->started_at = now;
  if (impl_->child) {
    const auto status = impl_->child->exited();
    if (!status) return kLook;
    impl_->bury(now, *status);
  }
  if (impl_->start_again_at && now < *impl_->start_again_at)
    return std::min(kLook, *impl_->start_again_at - now);
  impl_->start_again_at.reset();
  impl_->started_at = now;
  if (const auto started = impl_->start(); !started) {
    impl_->options.log("the broker cannot be started again: " + started.error().context);
    impl_->start_again_at = now + impl_->pause;
    impl_->pause = std::min(2 * impl_->pause, kPauseMax);
  }
  return std::chrono::milliseconds(50);
}

Result<> Broker::replace_certificate(const std::string& certificate_pem, const std::string& private_key_pem) {
  const std::lock_guard lock(impl_->mutex);
  HONE_CHECK(impl_->write_certificate(certificate_pem, private_key_pem));
  if (impl_->child) impl_->child->send_signal(SIGHUP);  // reads both again
  return {};
}

Result<> Broker::add(const DeviceId& device, const std::string& secret) {
  const std::lock_guard lock(impl_->mutex);
  if (device.value == kCloudUser) return fail(Code::invalid, "no device may be called " + device.value);
  HONE_TRY(const bool changed, impl_->accounts.set(device.value, secret, impl_->random));
  if (!changed) return {};
  HONE_CHECK(impl_->write_accounts());
  if (impl_->child) impl_->child->send_signal(SIGHUP);  // reads its password file again
  return {};
}

void Broker::publish(std::string_view pipeline, std::string_view payload) { impl_->hints->publish(pipeline, payload); }

}  // namespace hone::cloud
