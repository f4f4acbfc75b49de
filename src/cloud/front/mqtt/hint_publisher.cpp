#include "cloud/front/mqtt/hint_publisher.hpp"

#include <mosquitto.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace hone::cloud {
namespace {

constexpr int kKeepaliveSeconds = 30;
constexpr int kQosAtLeastOnce = 1;
constexpr int kLoopMs = 200;
constexpr auto kReconnectAfter = std::chrono::milliseconds(250);  // it is a neighbour: asking costs little

void send(mosquitto* client, const std::string& pipeline, const std::string& payload) {
  // Without a connection this fails at once, and the hint is sent when there is one.
  (void)mosquitto_publish(client, nullptr, hint_topic(pipeline).c_str(), static_cast<int>(payload.size()),
                          payload.data(), kQosAtLeastOnce, true);
}

}  // namespace

std::string hint_topic(std::string_view pipeline) { return "hone/v1/" + std::string(pipeline) + "/offer"; }

struct HintPublisher::State {
  mosquitto* client = nullptr;
  std::mutex mutex;
  std::map<std::string, std::string> latest;  // guarded by mutex
  bool stopping = false, accepted = false;    // guarded by mutex
  std::condition_variable changed;
  std::thread thread;

  // In place of mosquitto_loop_start(), whose thread ends for good when a TLS connection is cut.
  void run(const std::string& host, std::uint16_t port) {
    int rc = mosquitto_connect(client, host.c_str(), port, kKeepaliveSeconds);
    for (;;) {
      if (rc == MOSQ_ERR_SUCCESS) rc = mosquitto_loop(client, kLoopMs, 1);
      std::unique_lock lock(mutex);
      if (stopping) return;
      if (rc == MOSQ_ERR_SUCCESS) continue;
      if (changed.wait_for(lock, kReconnectAfter, [this] { return stopping; })) return;
      lock.unlock();
      rc = mosquitto_reconnect(client);
    }
  }

  static void on_connect(mosquitto* client, void* self, int refused) {
    if (refused != 0) return;
    auto& state = *static_cast<State*>(self);
    std::map<std::string, std::string> latest;
    {
      const std::lock_guard lock(state.mutex);
      latest = state.latest;
      state.accepted = true;
    }
    state.changed.notify_all();
    for (const auto& [pipeline, payload] : latest) send(client, pipeline, payload);
  }
};

HintPublisher::HintPublisher(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<HintPublisher>> HintPublisher::open(const Options& options) {
  mosquitto_lib_init();
  auto state = std::make_unique<State>();
  state->client = mosquitto_new(nullptr, true, state.get());
  if (state->client == nullptr) return fail(Code::unavailable, "libmosquitto cannot make a client");
  std::unique_ptr<HintPublisher> publisher(new HintPublisher(std::move(state)));
  mosquitto* client = publisher->state_->client;

  mosquitto_connect_callback_set(client, State::on_connect);
  mosquitto_threaded_set(client, true);  // publish() may be called beside the loop
  int rc = mosquitto_username_pw_set(client, options.user.c_str(), options.password.c_str());
  if (rc == MOSQ_ERR_SUCCESS) rc = mosquitto_tls_set(client, options.ca_file.c_str(), nullptr, nullptr, nullptr, nullptr);
  if (rc != MOSQ_ERR_SUCCESS)
    return fail(Code::unavailable, std::string("the connection to the broker cannot be set up: ") + mosquitto_strerror(rc));
  publisher->state_->thread = std::thread([&state = *publisher->state_, host = options.host, port = options.port] {
    state.run(host, port);
  });
  return publisher;
}

HintPublisher::~HintPublisher() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  mosquitto_disconnect(state_->client);
  if (state_->thread.joinable()) state_->thread.join();
  mosquitto_destroy(state_->client);
  mosquitto_lib_cleanup();
}

bool HintPublisher::wait_until_accepted(Duration timeout) {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, timeout, [this] { return state_->accepted; });
}

void HintPublisher::publish(std::string_view pipeline, std::string_view payload) {
  const std::string name(pipeline), text(payload);
  {
    const std::lock_guard lock(state_->mutex);
    state_->latest.insert_or_assign(name, text);
  }
  send(state_->client, name, text);
}

}  // namespace hone::cloud
