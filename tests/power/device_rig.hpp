// One device over a simulated disk, joined to a toy cloud, with a clock that the test turns.
#pragma once

#include <memory>
#include <string>

#include "base/hints.hpp"
#include "edge/agent/agent.hpp"
#include "platform/sim/sim.hpp"
#include "toy_cloud.hpp"

namespace hone::testing {

inline const Time kStart = from_unix_ms(1'800'000'000'000);

// 20 KB that a delta codec can find likeness in.
inline Bytes toy_model(std::uint8_t version) {
  platform::SimRandom random(5);
  Bytes bytes(20'000);
  random.fill(bytes);
  for (std::size_t i = 0; i < bytes.size(); i += 100) bytes[i] = version;
  return bytes;
}

struct DeviceRig {
  explicit DeviceRig(std::uint64_t seed = 1) : random(seed), cloud(kStart, seed + 1) {}

  platform::SimFiles files;
  platform::SimRandom random;
  ToyCloud cloud;
  ToyRuntime runtime;
  edge::AgentOptions options{"state", std::nullopt, {}, {5, std::chrono::minutes(10), 3}};
  Time now = kStart;
  std::unique_ptr<edge::Agent> agent;
  bool network = true;

  Result<> open() {
    agent.reset();
    edge::AgentPorts ports{
        files,
        random,
        runtime,
        [this](const wire::Ticket&, const std::string& authorization) -> std::unique_ptr<HttpClient> {
          auto client = std::make_unique<Client>(*this);
          client->authorization = authorization;
          return client;
        },
        {}};
    auto opened = edge::Agent::open(options, std::move(ports), now);
    if (!opened) return fail(opened.error());
    agent = std::move(*opened);
    return {};
  }

  // Steps and sleeps until `done`, at most `steps` times.
  template <class Done>
  bool run_until(Done done, int steps = 2000) {
    for (int i = 0; i < steps; ++i) {
      if (done()) return true;
      const Duration sleep = agent->step(now);
      now += std::max(sleep, Duration(1));
    }
    return done();
  }

  Result<edge::Inference> infer(const Bytes& sample) const { return agent->infer(sample, {}); }

 private:
  struct Client : HttpClient {
    explicit Client(DeviceRig& r) : rig(r) {}
    DeviceRig& rig;
    std::string authorization;
    Result<HttpResponse> send(const HttpRequest& request, const Limits&) override {
      if (!rig.network) return fail(Code::unavailable, "the network is away");
      HttpRequest full = request;
      if (!authorization.empty()) full.headers["authorization"] = authorization;
      return rig.cloud.handle(full);
    }
  };
};

}  // namespace hone::testing
