// A cloud in one object for tests of the device: it enrols, offers, takes batches and outcomes, and
// hosts a really signed repository. It remembers exactly what the real one promises to remember.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/http.hpp"
#include "cloud/publish/publish.hpp"
#include "platform/sim/sim.hpp"
#include "shared/model/run/runtime.hpp"
#include "shared/wire/batch.hpp"
#include "shared/wire/messages.hpp"
#include "shared/wire/release.hpp"

namespace hone::testing {

[[nodiscard]] wire::Signal toy_signal();  // uint8 [4], three labels

// A runtime without ONNX: any bytes but those that begin with "broken" are a model of three scores,
// which depend on the bytes and on the sample. `fail_on` is a first sample byte on which it fails.
class ToyRuntime : public model::Runtime {
 public:
  [[nodiscard]] Result<wire::Signal> signal_of(ByteView) override { return fail(Code::invalid, "a toy says nothing of it"); }
  std::optional<std::uint8_t> fail_on;
  int loads = 0;
  [[nodiscard]] Result<std::unique_ptr<model::Runner>> load(ByteView onnx, const wire::Signal& signal,
                                                            std::string_view) override;
};

// What the model `onnx` answers to `sample`.
[[nodiscard]] std::vector<float> toy_scores(ByteView onnx, ByteView sample);

class ToyCloud {
 public:
  ToyCloud(Time now, std::uint64_t seed);

  [[nodiscard]] wire::Ticket ticket(const std::string& token = "once") const;
  [[nodiscard]] HttpResponse handle(const HttpRequest& request);

  // Signs and offers a release; with a delta from `base` when one is given.
  struct Publish {
    std::uint64_t seq = 1;
    Bytes model;
    std::optional<Bytes> base{};
    std::optional<Bytes> delta{};  // instead of the right one
    bool goal_met = false;
    bool wrong_self_test = false;
  };
  void publish(const Publish& release, Time now);

  wire::Offer offer;
  bool offline = false;
  // what came
  std::map<std::string, std::size_t> batches;  // id -> rows
  std::map<Bytes, int> samples;                // how often each was stored
  std::vector<wire::Outcome> outcomes;
  std::map<std::string, std::uint64_t> target_bytes_served;  // by file extension
  std::map<std::string, std::string> tokens;                 // token -> nonce that used it

  [[nodiscard]] bool has_outcome(std::uint64_t release, wire::OutcomeKind kind) const;

 private:
  [[nodiscard]] HttpResponse repository(const HttpRequest& request);

  platform::SimFiles files_;
  platform::SimRandom random_;
  std::unique_ptr<cloud::Publisher> publisher_;
};

}  // namespace hone::testing
