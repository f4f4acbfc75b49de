#include "server_file.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "shared/pipeline/toml_section.hpp"

namespace hone::app {
namespace {

constexpr std::size_t kItemsMax = 256;
constexpr std::size_t kTextBytesMax = 4096;

std::optional<std::uint16_t> port_from(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

void read_settings(const toml::table& root, TomlErrors& errors, ServerSettings& settings) {
  TomlSection file(&root, "", root.source(), errors, {"server"});
  const toml::table* table = file.table("server");
  TomlSection section(table, "server", root.source(), errors, {"data", "listen", "mqtt_port", "hosts", "pipelines", "log_level"});
  section.text("data", settings.data, kTextBytesMax);
  section.text("listen", settings.listen, kTextBytesMax);
  if (const auto listen = parse_listen(settings.listen); !listen) section.fail_at("listen", listen.error().context);
  if (table != nullptr && (*table)["mqtt_port"].is_string()) {
    std::string text;
    section.text("mqtt_port", text, kTextBytesMax);
    const auto port = parse_mqtt_port(text);
    if (port) settings.mqtt_port = *port;
    else section.fail_at("mqtt_port", port.error().context);
  } else {
    std::int64_t port = settings.mqtt_port.port;
    section.integer("mqtt_port", port, 0, 65535);
    settings.mqtt_port.port = static_cast<std::uint16_t>(port);
  }
  section.strings("hosts", settings.hosts, kItemsMax);
  section.strings("pipelines", settings.pipelines, kItemsMax);
  section.text("log_level", settings.log_level, kTextBytesMax);
  constexpr std::string_view kLevels[] = {"trace", "debug", "info", "warn", "error"};
  if (std::find(std::begin(kLevels), std::end(kLevels), settings.log_level) == std::end(kLevels))
    section.fail_at("log_level", "must be trace, debug, info, warn or error");
}

}  // namespace

Result<ServerSettings> parse_server_file(std::string_view text, std::string_view file) {
  TomlErrors errors(file);
  ServerSettings settings;
  try {
    const toml::table root = toml::parse(text, file);
    read_settings(root, errors, settings);
  } catch (const toml::parse_error& error) {
    errors.add(error.source().begin, "not valid TOML: " + std::string(error.description()));
  }
  if (errors.any()) return fail(errors.first());

  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  const auto beside = [&](const std::string& path) { return path.empty() ? path : (folder / path).string(); };
  settings.data = beside(settings.data);
  for (std::string& pipeline : settings.pipelines) pipeline = beside(pipeline);
  return settings;
}

Result<ListenAddress> parse_listen(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const auto port = colon == text.npos ? std::nullopt : port_from(text.substr(colon + 1));
  if (!port || colon == 0)
    return fail(Code::invalid, "'" + std::string(text) + "' is no address and port; give it as 127.0.0.1:8443");
  std::string_view address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  return ListenAddress{std::string(address), *port};
}

Result<MqttPort> parse_mqtt_port(std::string_view text) {
  if (text == "off") return MqttPort{true, 0};
  const auto port = port_from(text);
  if (!port) return fail(Code::invalid, "'" + std::string(text) + "' is no port for MQTT; give 1 to 65535, 0 for any, or off");
  return MqttPort{false, *port};
}

}  // namespace hone::app
