// The device's ear at the broker that the cloud supervises: TLS, its own account, killed and back.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "cloud/front/http/testing_certificate.hpp"
#include "cloud/front/mqtt/broker.hpp"
#include "edge/agent/mqtt_hints.hpp"
#include "platform/posix/posix.hpp"

namespace hone::testing {
namespace {

struct HintsTest : ::testing::Test {
  const cloud::TestingCertificate certificate = cloud::make_testing_certificate();
  std::unique_ptr<Files> files = platform::make_posix_files();
  std::unique_ptr<Random> random = platform::make_system_random();
  std::unique_ptr<Clock> clock = platform::make_system_clock();
  std::string folder;
  std::unique_ptr<cloud::Broker> broker;

  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);  // a killed broker hangs up: hone-cloud ignores it, libhone guards its own calls
    std::string pattern = (std::filesystem::temp_directory_path() / "hone-hints-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    cloud::BrokerOptions options;
    options.folder = folder + "/mqtt";
    options.port = 0;
    options.ca_pem = certificate.ca_pem;
    options.certificate_pem = certificate.certificate_pem;
    options.private_key_pem = certificate.private_key_pem;
    auto opened = cloud::Broker::open(*files, *random, options);
    ASSERT_TRUE(opened) << opened.error().context;
    broker = std::move(*opened);
    ASSERT_TRUE(write_file_atomically(*files, folder + "/ca.pem", as_bytes(certificate.ca_pem)));
  }
  void TearDown() override {
    broker.reset();
    std::filesystem::remove_all(folder);
  }
  std::unique_ptr<HintSource> listen(const std::string& password) {
    return edge::make_mqtt_hints(
        {"127.0.0.1", broker->port(), "dev-1", password, folder + "/ca.pem", edge::offer_topic("digits")});
  }
  // Polls until a hint comes, at most a minute: a broken connection is tried again after a pause.
  bool hears(HintSource& hints, std::chrono::seconds within = std::chrono::seconds(60)) {
    const auto deadline = std::chrono::steady_clock::now() + within;
    while (std::chrono::steady_clock::now() < deadline) {
      if (hints.poll()) return true;
      (void)broker->step(clock->now());
    }
    return false;
  }
};

TEST_F(HintsTest, HearsHintsAndComesBackAfterTheBrokerDied) {
  ASSERT_TRUE(broker->add(DeviceId("dev-1"), "secret"));
  const auto hints = listen("secret");
  ASSERT_TRUE(hints);
  ASSERT_TRUE(hears(*hints)) << "each subscription counts as a hint: something may have been missed";
  while (hints->poll()) {
  }
  broker->publish("digits", "{}");
  EXPECT_TRUE(hears(*hints));
  while (hints->poll()) {
  }
  ASSERT_GT(broker->pid(), 0);
  kill(broker->pid(), SIGKILL);
  EXPECT_TRUE(hears(*hints)) << "it comes back by itself";
}

TEST_F(HintsTest, NothingIsListeningIsNoHintAndNoHarm) {
  const auto hints =
      edge::make_mqtt_hints({"127.0.0.1", 1, "dev-1", "secret", folder + "/ca.pem", edge::offer_topic("digits")});
  ASSERT_TRUE(hints);
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(hints->poll());
}

TEST_F(HintsTest, ABrokerOfAnotherAuthorityIsNotHeard) {
  ASSERT_TRUE(broker->add(DeviceId("dev-1"), "secret"));
  ASSERT_TRUE(write_file_atomically(*files, folder + "/ca.pem", as_bytes(cloud::make_testing_certificate().ca_pem)));
  const auto hints = listen("secret");
  ASSERT_TRUE(hints);
  EXPECT_FALSE(hears(*hints, std::chrono::seconds(2)));
}

TEST_F(HintsTest, ACertificateFileThatIsMissingIsNoListener) {
  EXPECT_FALSE(edge::make_mqtt_hints({"127.0.0.1", 1, "dev-1", "secret", folder + "/none.pem", "t"}));
}

}  // namespace
}  // namespace hone::testing
