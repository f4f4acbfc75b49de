// The cloud's connection to its broker: publishes hints, retained and at QoS 1, on the topic
// hone/v1/<pipeline>/offer, and publishes the newest of each pipeline again whenever it has
// (re)connected. It keeps a thread of its own for that. Safe for use by several threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/hints.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace hone::cloud {

[[nodiscard]] std::string hint_topic(std::string_view pipeline);  // "hone/v1/digits/offer"

class HintPublisher : public HintSink {
 public:
  struct Options {
    std::string host;
    std::uint16_t port = 0;
    std::string ca_file;
    std::string user, password;
  };
  // Returns at once; connects, and connects again, by itself.
  [[nodiscard]] static Result<std::unique_ptr<HintPublisher>> open(const Options& options);
  ~HintPublisher() override;

  void publish(std::string_view pipeline, std::string_view payload) override;

  // Waits until the broker has accepted it for the first time; false when `timeout` passes before.
  [[nodiscard]] bool wait_until_accepted(Duration timeout);

 private:
  struct State;
  explicit HintPublisher(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hone::cloud
