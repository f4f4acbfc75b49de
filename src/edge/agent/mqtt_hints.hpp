// Hints over MQTT 3.1.1: one retained topic a pipeline, QoS 1, TLS with the ticket's authority.
// It owns no thread: poll() moves what the socket has ready. Not for use by two threads at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/hints.hpp"

namespace hone::edge {

struct MqttEndpoint {
  std::string host;
  std::uint16_t port = 0;
  std::string user;      // the device id; the client id as well
  std::string password;  // the device's secret
  std::string ca_file;   // PEM; empty: no TLS, for tests on the loopback
  std::string topic;     // "hone/v1/<pipeline>/offer"
};

[[nodiscard]] std::string offer_topic(const std::string& pipeline);

// Null when the client library has no memory or refuses the certificate file. Connects at the first
// poll(), and again after a loss with growing pauses.
[[nodiscard]] std::unique_ptr<HintSource> make_mqtt_hints(MqttEndpoint endpoint);

}  // namespace hone::edge
