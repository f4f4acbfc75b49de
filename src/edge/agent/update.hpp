// Brings one offered release up to the point where it may answer: manifest, bytes, model file,
// self-test. Each advance() does one bounded piece of work and says what happened; the state that it
// leads to is next_state()'s to decide.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "edge/agent/device_file.hpp"
#include "edge/agent/state.hpp"
#include "edge/fetch/fetch.hpp"
#include "edge/patch/patch.hpp"
#include "edge/swap/slot.hpp"
#include "edge/verify/verify.hpp"

namespace hone::edge {

struct UpdatePorts {  // all must outlive the update
  Files& files;
  model::Runtime& runtime;
  TrustedRepository& repository;
  Slot<LiveModel>& slot;
  std::string folder;  // models/ and fetch/ are below it
  std::string format;  // of the files of a release that it takes: wire::Ticket::format
};

[[nodiscard]] std::string model_file(const std::string& folder, char slot);

class Update {
 public:
  Update(UpdatePorts ports, PipelineName pipeline, ReleaseSeq release, std::optional<InstalledModel> installed,
         std::optional<InstalledModel> previous)
      : ports_(std::move(ports)),
        pipeline_(std::move(pipeline)),
        release_(release),
        installed_(std::move(installed)),
        previous_(std::move(previous)) {}

  [[nodiscard]] ReleaseSeq release() const { return release_; }

  // Does the work that `state` asks for. An error leaves the state as it is; the caller decides
  // whether to try again or to refuse.
  [[nodiscard]] Result<UpdateEvent> advance(UpdateState state, HttpClient& cloud, Time now);

  // In state `tested`: what to store before the model goes live, how it came, and the model itself.
  [[nodiscard]] InstalledModel installed() const;
  [[nodiscard]] bool by_delta() const { return delta_.has_value(); }
  [[nodiscard]] std::uint64_t fetched_bytes() const { return fetched_bytes_ + (fetch_ ? fetch_->bytes_pulled() : 0); }
  [[nodiscard]] std::unique_ptr<LiveModel> take_model() { return std::move(model_); }

 private:
  [[nodiscard]] Result<UpdateEvent> verify_manifest(HttpClient& cloud, Time now);
  [[nodiscard]] Result<UpdateEvent> fetch(HttpClient& cloud);
  [[nodiscard]] bool take_present();
  [[nodiscard]] Result<UpdateEvent> patch();
  [[nodiscard]] Result<UpdateEvent> test();
  [[nodiscard]] char free_slot() const { return installed_ && installed_->slot == 'a' ? 'b' : 'a'; }

  UpdatePorts ports_;
  PipelineName pipeline_;
  ReleaseSeq release_;
  std::optional<InstalledModel> installed_, previous_;

  std::optional<trust::Verified<wire::ReleaseManifest>> manifest_;
  std::optional<wire::ReleaseDelta> delta_;  // absent: the full file
  bool delta_failed_ = false;
  std::optional<TargetFetch> fetch_;
  std::uint64_t fetched_bytes_ = 0;  // by fetches before the present one
  std::optional<PatchedModel> patched_;
  std::unique_ptr<LiveModel> model_;
};

}  // namespace hone::edge
