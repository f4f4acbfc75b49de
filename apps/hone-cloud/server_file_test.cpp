#include "server_file.hpp"

#include <gtest/gtest.h>

namespace hone::app {
namespace {

TEST(ServerFile, ReadsEveryKey) {
  const auto settings = parse_server_file(R"([server]
data = "store"
listen = "127.0.0.1:9000"
mqtt_port = 1234
hosts = ["hone.example", "10.0.0.7"]
pipelines = ["digits.toml", "/etc/hone/noise.toml"]
log_level = "debug"
)", "conf/server.toml");
  ASSERT_TRUE(settings) << settings.error().context;
  EXPECT_EQ(settings->data, "conf/store");
  EXPECT_EQ(settings->listen, "127.0.0.1:9000");
  EXPECT_EQ(settings->mqtt_port.port, 1234);
  EXPECT_FALSE(settings->mqtt_port.off);
  EXPECT_EQ(settings->hosts, (std::vector<std::string>{"hone.example", "10.0.0.7"}));
  EXPECT_EQ(settings->pipelines, (std::vector<std::string>{"conf/digits.toml", "/etc/hone/noise.toml"}));
  EXPECT_EQ(settings->log_level, "debug");
}

TEST(ServerFile, AnEmptyOneHasTheDefaults) {
  const auto settings = parse_server_file("", "server.toml");
  ASSERT_TRUE(settings) << settings.error().context;
  EXPECT_EQ(settings->listen, "127.0.0.1:8443");
  EXPECT_EQ(settings->mqtt_port.port, 8883);
  EXPECT_EQ(settings->data, "");
}

TEST(ServerFile, TheBrokerCanBeSwitchedOff) {
  const auto settings = parse_server_file("[server]\nmqtt_port = 'off'", "server.toml");
  ASSERT_TRUE(settings) << settings.error().context;
  EXPECT_TRUE(settings->mqtt_port.off);
}

TEST(ServerFile, NamesLineAndColumnOfWhatIsWrong) {
  const struct {
    const char* text;
    const char* place;
    const char* part;
  } cases[] = {
      {"[server]\ndata = 'd'\nlisten_on = 'x'", "server.toml:3:1", "listen"},
      {"[server]\ndata = 3", "server.toml:2:8", "data"},
      {"[server]\nlisten = 'here'", "server.toml:2:10", "127.0.0.1:8443"},
      {"[server]\nmqtt_port = 70000", "server.toml:2:13", "mqtt_port"},
      {"[server]\nmqtt_port = 'on'", "server.toml:2:13", "off"},
      {"[server]\nlog_level = 'loud'", "server.toml:2:13", "info"},
      {"[serve]\ndata = 'd'", "server.toml:1:", "server"},
      {"[server]\ndata = ", "server.toml:2:", "TOML"},
  };
  for (const auto& [text, place, part] : cases) {
    const auto settings = parse_server_file(text, "server.toml");
    ASSERT_FALSE(settings) << text;
    EXPECT_NE(settings.error().context.find(place), std::string::npos) << settings.error().context;
    EXPECT_NE(settings.error().context.find(part), std::string::npos) << settings.error().context;
  }
}

TEST(Listen, WantsAnAddressAndAPort) {
  EXPECT_EQ(parse_listen("127.0.0.1:0")->port, 0);
  EXPECT_EQ(parse_listen("[::1]:8443")->address, "::1");
  for (const char* text : {"", "8443", ":8443", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000"})
    EXPECT_FALSE(parse_listen(text)) << text;
}

}  // namespace
}  // namespace hone::app
