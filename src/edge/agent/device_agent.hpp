// The agent's inside, for agent.cpp (what any thread may call) and steps.cpp (what step() does).
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "edge/agent/agent.hpp"
#include "edge/agent/backoff.hpp"
#include "edge/agent/device_file.hpp"
#include "edge/agent/update.hpp"
#include "edge/sense/window_cutter.hpp"
#include "edge/swap/slot.hpp"

namespace hone::edge {

// The spool draws batch ids on the observing thread while the stepping thread draws jitter.
class SharedRandom : public Random {
 public:
  explicit SharedRandom(Random& random) : random_(random) {}
  void fill(std::span<std::uint8_t> out) override {
    const std::lock_guard lock(mutex_);
    random_.fill(out);
  }

 private:
  std::mutex mutex_;
  Random& random_;
};

class DeviceAgent : public Agent {
 public:
  DeviceAgent(AgentOptions options, AgentPorts ports, DeviceFile device);

  // Opens the parts and loads the installed model. Before anything else, once.
  [[nodiscard]] Result<> start(Time now);

  [[nodiscard]] Result<> observe(const Sample& sample) override;
  [[nodiscard]] Result<Readings> observe_readings(ByteView readings, std::int64_t label, Time at) override;
  [[nodiscard]] Result<Inference> infer_window(std::span<float> scores) const override;
  [[nodiscard]] Result<Inference> infer(ByteView sample, std::span<float> scores) const override;
  [[nodiscard]] Duration step(Time now) override;
  [[nodiscard]] Result<> sync() override;
  [[nodiscard]] AgentStatus status() const override;

 private:
  // What step() can do over the network, in the order in which it does it.
  enum Job : std::size_t { kEnroll, kOffer, kOutcome, kUpdate, kUpload, kDisk, kJobs };

  // ---- boot (agent.cpp)
  [[nodiscard]] Result<> load_installed(Time now);
  [[nodiscard]] Result<std::unique_ptr<LiveModel>> load(const InstalledModel& installed);
  void heard(const wire::Offer& offer);  // signal and collect for the other threads
  void went_live();

  // ---- steps (steps.cpp)
  void flush(Time now);
  void watch(Time now);
  void revert(const std::string& reason, Time now);
  void do_enroll(Time now);
  void do_offer(Time now);
  void do_outcome(Time now);
  void do_update(Time now);
  void do_upload(Time now);
  void go_live(Time now);
  void refuse_update(const Error& error, bool for_good, Time now);
  void consider(const wire::Offer& offer);
  void set_collect(wire::Collect collect);
  void drop_segment(const SealedSegment& segment, std::uint64_t rows_refused);
  void failed(Job job, const Error& error, Time now);
  void succeeded(Job job);
  [[nodiscard]] bool due(Job job, Time now) const { return next_[job] <= now; }
  [[nodiscard]] bool wants(Job job) const;
  [[nodiscard]] Duration rest(Time now) const;
  [[nodiscard]] Result<> save() { return write_device_file(ports_.files, device_path(), device_); }
  [[nodiscard]] std::string device_path() const { return options_.folder + "/device.json"; }
  void show();

  // constant after start()
  const AgentOptions options_;
  const AgentPorts ports_;
  mutable SharedRandom random_;
  std::unique_ptr<Spool> spool_;                   // own synchronisation
  std::unique_ptr<TrustedRepository> repository_;  // stepping thread

  // own synchronisation
  Slot<LiveModel> slot_;
  std::atomic<wire::Collect> collect_{wire::Collect::all};
  std::atomic<std::uint64_t> rows_skipped_{0};
  mutable std::atomic<std::uint64_t> inferences_{0}, inference_errors_{0};

  mutable std::mutex shared_mutex_;
  std::shared_ptr<const wire::Signal> signal_;  // guarded by shared_mutex_; null: not heard yet
  std::optional<wire::Stream> stream_;          // guarded by shared_mutex_; of signal_
  AgentStatus shown_;                           // guarded by shared_mutex_

  mutable std::mutex windows_mutex_;
  std::optional<WindowCutter> windows_;  // guarded by windows_mutex_

  // stepping thread
  DeviceFile device_;
  DeviceState state_ = DeviceState::bootstrapping;
  UpdateState update_state_ = UpdateState::idle;
  std::optional<Update> update_;
  const LiveModel* live_ = nullptr;  // the current one in slot_
  std::unique_ptr<HttpClient> cloud_;
  std::unique_ptr<HintSource> hints_;
  SignalPrint print_{};
  std::uint64_t rows_uploaded_ = 0, bytes_uploaded_ = 0, rows_refused_ = 0;
  std::array<Time, kJobs> next_{};  // not before
  std::array<Backoff, kJobs> backoff_;
  std::array<std::string, kJobs> error_;
  bool offer_wanted_ = true;  // after open, a hint, an outcome
  Time last_step_{};
};

}  // namespace hone::edge
