#include "cloud/front/mqtt/broker.hpp"

#include <gtest/gtest.h>
#include <mosquitto.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cloud/front/http/testing_certificate.hpp"
#include "platform/posix/child_process.hpp"
#include "platform/posix/posix.hpp"

namespace hone::cloud {
namespace {

// A device's end, driven by the test: nothing happens outside until().
class Listener {
 public:
  Listener(const Broker& broker, const std::string& ca_file, const std::string& user, const std::string& password) {
    mosquitto_lib_init();
    client_ = mosquitto_new(nullptr, true, this);
    mosquitto_username_pw_set(client_, user.c_str(), password.c_str());
    mosquitto_tls_set(client_, ca_file.c_str(), nullptr, nullptr, nullptr, nullptr);
    mosquitto_connect_callback_set(client_, [](mosquitto* client, void* self, int code) {
      static_cast<Listener*>(self)->connack = code;
      if (code == 0) mosquitto_subscribe(client, nullptr, "hone/v1/#", 1);
    });
    mosquitto_subscribe_callback_set(client_, [](mosquitto*, void* self, int, int, const int*) {
      static_cast<Listener*>(self)->subscribed = true;
    });
    mosquitto_publish_callback_set(client_, [](mosquitto*, void* self, int) { ++static_cast<Listener*>(self)->published; });
    mosquitto_message_callback_set(client_, [](mosquitto*, void* self, const mosquitto_message* message) {
      static_cast<Listener*>(self)->heard[message->topic] =
          std::string(static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen));
    });
    connected_ = mosquitto_connect(client_, "127.0.0.1", broker.port(), 30) == MOSQ_ERR_SUCCESS;
  }
  ~Listener() {
    mosquitto_destroy(client_);
    mosquitto_lib_cleanup();
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Drives the connection until `done`, its end, or far too long.
  bool until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      if (!connected_ || std::chrono::steady_clock::now() > deadline) return false;
      if (mosquitto_loop(client_, 50, 1) != MOSQ_ERR_SUCCESS) return done();
    }
    return true;
  }
  void publish(const std::string& topic, const std::string& text) {
    mosquitto_publish(client_, nullptr, topic.c_str(), static_cast<int>(text.size()), text.data(), 1, true);
  }

  int connack = -1;
  bool subscribed = false;
  int published = 0;
  std::map<std::string, std::string> heard;

 private:
  mosquitto* client_;
  bool connected_ = false;
};

class BrokerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);  // as hone-cloud does: a killed broker hangs up
    std::string pattern = (std::filesystem::temp_directory_path() / "hone broker XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    broker_.reset();
    std::filesystem::remove_all(folder_);
  }

  BrokerOptions options() {
    BrokerOptions options;
    options.folder = folder_ + "/mqtt";
    options.port = 0;
    options.ca_pem = certificate_.ca_pem;
    options.certificate_pem = certificate_.certificate_pem;
    options.private_key_pem = certificate_.private_key_pem;
    options.log = [this](std::string_view sentence) { log_.emplace_back(sentence); };
    return options;
  }
  void open() {
    auto broker = Broker::open(*files_, *random_, options());
    ASSERT_TRUE(broker) << broker.error().context;
    broker_ = std::move(*broker);
  }
  Listener listener(const std::string& user, const std::string& password) {
    return {*broker_, folder_ + "/mqtt/ca.pem", user, password};
  }

  // A new account takes effect soon, not at once: the broker reads its file between two messages.
  std::unique_ptr<Listener> device(const std::string& user, const std::string& password) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < deadline) {
      auto made = std::make_unique<Listener>(*broker_, folder_ + "/mqtt/ca.pem", user, password);
      if (made->until([&] { return made->connack >= 0; }) && made->connack == 0 &&
          made->until([&] { return made->subscribed; }))
        return made;
    }
    ADD_FAILURE() << "the device's account never came to work";
    return nullptr;
  }

  const TestingCertificate certificate_ = make_testing_certificate();
  std::unique_ptr<Files> files_ = platform::make_posix_files();
  std::unique_ptr<Random> random_ = platform::make_system_random();
  std::string folder_;
  std::vector<std::string> log_;
  std::unique_ptr<Broker> broker_;
};

TEST_F(BrokerTest, ARetainedHintReachesALateSubscriber) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(broker_->add(DeviceId("dev-1"), "secret"));
  broker_->publish("digits", "{\"release\":1}");
  const auto late = device("dev-1", "secret");
  ASSERT_TRUE(late);
  EXPECT_TRUE(late->until([&] { return late->heard["hone/v1/digits/offer"] == "{\"release\":1}"; }));
}

TEST_F(BrokerTest, ADeviceHearsTheNextHintToo) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(broker_->add(DeviceId("dev-1"), "secret"));
  const auto listening = device("dev-1", "secret");
  ASSERT_TRUE(listening);
  for (const char* payload : {"one", "two"}) {
    broker_->publish("digits", payload);
    EXPECT_TRUE(listening->until([&] { return listening->heard["hone/v1/digits/offer"] == payload; }));
  }
}

TEST_F(BrokerTest, ADeviceMayNotPublish) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(broker_->add(DeviceId("dev-1"), "secret"));
  ASSERT_TRUE(broker_->add(DeviceId("dev-2"), "secret"));
  const auto forger = device("dev-1", "secret");
  const auto victim = device("dev-2", "secret");
  ASSERT_TRUE(forger && victim);
  forger->publish("hone/v1/digits/offer", "forged");
  forger->publish("elsewhere", "forged");
  ASSERT_TRUE(forger->until([&] { return forger->published == 2; }));  // acknowledged and dropped, as 3.1.1 has it
  broker_->publish("digits", "true");  // whatever the forger said would have come before
  EXPECT_TRUE(victim->until([&] { return !victim->heard.empty(); }));
  EXPECT_EQ(victim->heard, (std::map<std::string, std::string>{{"hone/v1/digits/offer", "true"}}));
}

TEST_F(BrokerTest, RefusesAWrongPasswordAndAnUnknownDevice) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(broker_->add(DeviceId("dev-1"), "secret"));
  ASSERT_TRUE(device("dev-1", "secret"));
  constexpr int kNotAuthorised = 5;
  for (const auto& [user, password] : {std::pair("dev-1", "wrong"), std::pair("dev-2", "secret"), std::pair("", "")}) {
    Listener refused = listener(user, password);
    EXPECT_TRUE(refused.until([&] { return refused.connack >= 0; }));
    EXPECT_EQ(refused.connack, kNotAuthorised) << user;
  }
}

TEST_F(BrokerTest, IsStartedAgainAfterAKillAndTheHintIsThere) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(broker_->add(DeviceId("dev-1"), "secret"));
  broker_->publish("digits", "before");
  {
    const auto sees_it = device("dev-1", "secret");
    ASSERT_TRUE(sees_it && sees_it->until([&] { return sees_it->heard.size() == 1; }));
  }
  const pid_t first = broker_->pid();
  Time now{};
  (void)broker_->step(now);
  ASSERT_EQ(::kill(first, SIGKILL), 0);
  ::siginfo_t info;
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(first), &info, WEXITED | WNOWAIT), 0);  // dead, for sure
  broker_->publish("robots", "while it is down");
  (void)broker_->step(now);
  EXPECT_EQ(broker_->pid(), 0);
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_NE(log_[0].find("status 137"), std::string::npos) << log_[0];

  now += std::chrono::seconds(1);
  (void)broker_->step(now);
  EXPECT_NE(broker_->pid(), 0);
  EXPECT_NE(broker_->pid(), first);
  const auto listening = device("dev-1", "secret");  // connects as soon as it listens again
  ASSERT_TRUE(listening);
  EXPECT_TRUE(listening->until([&] {
    return listening->heard["hone/v1/digits/offer"] == "before" &&
           listening->heard["hone/v1/robots/offer"] == "while it is down";
  })) << ::testing::PrintToString(listening->heard);
}

TEST_F(BrokerTest, TheGapBetweenAttemptsGrowsWhileItKeepsDying) {
  ASSERT_NO_FATAL_FAILURE(open());
  Time now{};
  std::vector<std::int64_t> pauses;
  for (int death = 0; death < 5; ++death) {
    const pid_t pid = broker_->pid();
    ASSERT_NE(pid, 0);
    ::kill(pid, SIGKILL);
    ::siginfo_t info;
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
    const Time died = now;
    while (broker_->pid() == pid || broker_->pid() == 0) {
      const Duration wait = broker_->step(now);
      if (broker_->pid() == 0) now += wait;
    }
    pauses.push_back((now - died).count());
  }
  EXPECT_EQ(pauses, (std::vector<std::int64_t>{100, 200, 400, 800, 1600}));
}

TEST_F(BrokerTest, KeepsItsPortAndAccountsOverARestartOfTheCloud) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(broker_->add(DeviceId("dev-1"), "secret"));
  const std::uint16_t port = broker_->port();
  broker_.reset();
  ASSERT_NO_FATAL_FAILURE(open());
  EXPECT_EQ(broker_->port(), port);
  EXPECT_TRUE(device("dev-1", "secret"));
}

TEST_F(BrokerTest, ANewCertificateIsShownToNewConnections) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(broker_->add(DeviceId("dev-1"), "secret"));
  ASSERT_TRUE(device("dev-1", "secret"));
  const TestingCertificate other = make_testing_certificate();
  ASSERT_TRUE(broker_->replace_certificate(other.certificate_pem, other.private_key_pem));
  ASSERT_TRUE(write_file_atomically(*files_, folder_ + "/mqtt/ca.pem", as_bytes(other.ca_pem)));
  EXPECT_TRUE(device("dev-1", "secret"));  // under the other authority, as soon as it is shown
}

TEST_F(BrokerTest, SaysThatThePortIsTaken) {
  ASSERT_NO_FATAL_FAILURE(open());
  BrokerOptions second = options();
  second.folder = folder_ + "/second";
  second.port = broker_->port();
  const auto refused = Broker::open(*files_, *random_, second);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_NE(refused.error().context.find("port " + std::to_string(second.port) + " is taken"), std::string::npos);
  EXPECT_NE(refused.error().context.find("--mqtt-port"), std::string::npos);
}

TEST_F(BrokerTest, SaysWhatABrokerThatEndsAtOnceSaid) {
  const std::string program = folder_ + "/mosquitto";
  std::ofstream(program) << "#!/bin/sh\necho 'something is wrong here' >&2\nexit 3\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  BrokerOptions broken = options();
  broken.program = program;
  const auto refused = Broker::open(*files_, *random_, broken);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().context.find("something is wrong here"), std::string::npos) << refused.error().context;
}

TEST_F(BrokerTest, WritesSecretsForItsOwnerOnly) {
  ASSERT_NO_FATAL_FAILURE(open());
  for (const char* name : {"server-key.pem", "passwords", "acl", "mosquitto.conf"}) {
    const auto mode = std::filesystem::status(folder_ + "/mqtt/" + name).permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write) << name;
  }
}

}  // namespace
}  // namespace hone::cloud
