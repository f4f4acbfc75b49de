// The embedded broker: a mosquitto of the distribution's, configured and supervised as a child
// that dies with us. Devices may read hone/v1/# over TLS with their id and secret, and write
// nothing; only the cloud's own account publishes. Nobody is anonymous.
//
// It is started again with a growing pause when it dies, on the same port. Everything that the
// loop needs from it can be had by polling instead: whoever cannot open a broker goes on without.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/files.hpp"
#include "base/hints.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "cloud/service/service.hpp"

namespace hone::cloud {

struct BrokerOptions {
  std::string folder;                 // where its configuration, accounts and database are
  std::string address = "127.0.0.1";  // that it listens on
  std::uint16_t port = 8883;          // 0: any free one, the same as last time when that is free
  std::string ca_pem, certificate_pem, private_key_pem;
  std::string program;                // empty: the mosquitto in PATH or /usr/sbin
  std::function<void(std::string_view sentence)> log = [](std::string_view) {};
};

// replace_certificate(), add() and publish() are safe from several threads; open(), step() and the destructor belong to
// one thread, which must live as long as the process (ChildProcess says why).
class Broker : public BrokerAccounts, public HintSink {
 public:
  // Returns when the broker answers on its port. Errors, each with what to do: not_found (no
  // mosquitto here), invalid (the port is taken), unavailable. `files` and `random` must outlive it.
  [[nodiscard]] static Result<std::unique_ptr<Broker>> open(Files& files, Random& random, BrokerOptions options);
  ~Broker() override;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] pid_t pid() const;  // of the mosquitto; 0 while there is none

  // Starts it again when it has died. Returns how long until the next look; SIGCHLD may cut that short.
  [[nodiscard]] Duration step(Time now);

  // For connections from now on; those that stand keep what they have.
  [[nodiscard]] Result<> replace_certificate(const std::string& certificate_pem, const std::string& private_key_pem);

  [[nodiscard]] Result<> add(const DeviceId& device, const std::string& secret) override;
  void publish(std::string_view pipeline, std::string_view payload) override;

 private:
  struct Impl;
  explicit Broker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hone::cloud
