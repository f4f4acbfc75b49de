// What one hone-cloud is told: by its server file (docs/server.md) and, winning over it, by flags.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace hone::app {

struct MqttPort {
  bool off = false;
  std::uint16_t port = 8883;  // 0: any free one
};

struct ServerSettings {
  std::string data;
  std::string listen = "127.0.0.1:8443";
  MqttPort mqtt_port;
  std::vector<std::string> hosts;      // names that devices reach this machine by, beside the address
  std::vector<std::string> pipelines;  // files
  std::string log_level = "info";
};

constexpr std::size_t kServerFileBytesMax = 256 * 1024;

// `file` is the name for messages; paths in the text are relative to its folder. Unknown keys,
// wrong types and values out of range are errors with line and column.
[[nodiscard]] Result<ServerSettings> parse_server_file(std::string_view toml, std::string_view file);

struct ListenAddress {
  std::string address;
  std::uint16_t port = 0;
};
[[nodiscard]] Result<ListenAddress> parse_listen(std::string_view text);  // "127.0.0.1:8443"
[[nodiscard]] Result<MqttPort> parse_mqtt_port(std::string_view text);    // "8883", "0", "off"

}  // namespace hone::app
