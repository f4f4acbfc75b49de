#include "edge/agent/mqtt_hints.hpp"

#include <mosquitto.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

namespace hone::edge {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kKeepaliveS = 60;
constexpr int kPacketsPerPoll = 8;  // bounded work
constexpr std::chrono::milliseconds kFirstPause{500};
constexpr std::chrono::milliseconds kLongestPause{60'000};
constexpr std::chrono::seconds kConnectWithin{10};

class MqttHints : public HintSource {
 public:
  explicit MqttHints(MqttEndpoint endpoint) : endpoint_(std::move(endpoint)) {
    [[maybe_unused]] static const int once = mosquitto_lib_init();
  }
  ~MqttHints() override {
    if (!client_) return;
    if (connected_) mosquitto_disconnect(client_);
    mosquitto_destroy(client_);
  }

  [[nodiscard]] bool start() {
    client_ = mosquitto_new(endpoint_.user.c_str(), true, this);
    if (!client_) return false;
    if (mosquitto_username_pw_set(client_, endpoint_.user.c_str(), endpoint_.password.c_str()) != MOSQ_ERR_SUCCESS)
      return false;
    if (!endpoint_.ca_file.empty() &&
        mosquitto_tls_set(client_, endpoint_.ca_file.c_str(), nullptr, nullptr, nullptr, nullptr) != MOSQ_ERR_SUCCESS) {
      return false;
    }
    mosquitto_connect_callback_set(
        client_, [](mosquitto*, void* self, int code) { static_cast<MqttHints*>(self)->on_connect(code); });
    mosquitto_disconnect_callback_set(
        client_, [](mosquitto*, void* self, int) { static_cast<MqttHints*>(self)->connected_ = false; });
    mosquitto_subscribe_callback_set(client_, [](mosquitto*, void* self, int, int, const int*) {
      // What came while nobody listened is not missed: look once after each subscription.
      static_cast<MqttHints*>(self)->hint_ = true;
    });
    mosquitto_message_callback_set(client_, [](mosquitto*, void* self, const mosquitto_message*) {
      static_cast<MqttHints*>(self)->hint_ = true;  // the payload is not believed, so it is not read
    });
    return true;
  }

  [[nodiscard]] bool poll() override {
    const auto now = SteadyClock::now();
    if (!trying_) {
      if (now < next_try_) return false;
      connect(now);
    }
    for (int i = 0; trying_ && i < kPacketsPerPoll; ++i) {
      if (mosquitto_loop(client_, 0, 1) != MOSQ_ERR_SUCCESS) pause(now);
    }
    // The library waits for ever for a peer that accepts and says nothing.
    if (trying_ && !connected_ && now > give_up_) pause(now);
    return std::exchange(hint_, false);
  }

 private:
  void connect(SteadyClock::time_point now) {
    const int code = began_ ? mosquitto_reconnect_async(client_)
                            : mosquitto_connect_async(client_, endpoint_.host.c_str(), endpoint_.port, kKeepaliveS);
    began_ = true;
    trying_ = true;
    give_up_ = now + kConnectWithin;
    if (code != MOSQ_ERR_SUCCESS) pause(now);
  }

  void on_connect(int code) {
    if (code != 0) return;  // refused: the loop ends with an error next
    connected_ = true;
    failures_ = 0;
    if (mosquitto_subscribe(client_, nullptr, endpoint_.topic.c_str(), 1) != MOSQ_ERR_SUCCESS)
      mosquitto_disconnect(client_);
  }

  // Doubles with every failure; a random half is cut off, so that a fleet does not come back in step.
  void pause(SteadyClock::time_point now) {
    trying_ = connected_ = false;
    auto wait = kFirstPause;
    for (int i = 0; i < failures_ && wait < kLongestPause; ++i) wait *= 2;
    wait = std::min(wait, kLongestPause);
    failures_ = std::min(failures_ + 1, 30);
    next_try_ = now + wait / 2 +
                std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(0, wait.count() / 2)(jitter_));
  }

  const MqttEndpoint endpoint_;
  mosquitto* client_ = nullptr;
  bool began_ = false;
  bool trying_ = false;  // connecting or connected
  bool connected_ = false;
  bool hint_ = false;
  int failures_ = 0;
  SteadyClock::time_point next_try_{}, give_up_{};
  std::minstd_rand jitter_{std::random_device{}()};
};

}  // namespace

std::string offer_topic(const std::string& pipeline) {
  return "hone/v1/" + pipeline + "/offer";
}

std::unique_ptr<HintSource> make_mqtt_hints(MqttEndpoint endpoint) {
  auto hints = std::make_unique<MqttHints>(std::move(endpoint));
  if (!hints->start()) return nullptr;
  return hints;
}

}  // namespace hone::edge
