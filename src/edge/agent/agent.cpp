#include "edge/agent/agent.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "edge/agent/device_agent.hpp"

namespace hone::edge {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kWidthOnStack = 1024;

}  // namespace

Result<std::unique_ptr<Agent>> Agent::open(AgentOptions options, AgentPorts ports, Time now) {
  Files& files = ports.files;
  for (const char* part : {"", "/spool", "/models", "/fetch", "/trust"})
    HONE_CHECK(files.make_folders(options.folder + part));
  HONE_CHECK(files.sync_folder(options.folder));
  HONE_CHECK(files.sync_folder(folder_of(options.folder)));

  const std::string path = options.folder + "/device.json";
  DeviceFile device;
  HONE_TRY(const bool known, files.exists(path));
  if (known) {
    HONE_TRY(device, read_device_file(files, path));
  }
  // Until the device has its credential, a newer ticket replaces the one before.
  const bool other_ticket = options.ticket && !device.credential && options.ticket->token != device.ticket.token;
  if (!known && !options.ticket) {
    return fail(Code::invalid, "this device has not joined yet: pass the ticket that 'hone device enroll' wrote");
  }
  if (other_ticket) {
    device.ticket = *options.ticket;
    device.nonce = ports.random.hex(16);
  }
  if (!known || other_ticket) HONE_CHECK(write_device_file(files, path, device));

  auto agent = std::make_unique<DeviceAgent>(std::move(options), std::move(ports), std::move(device));
  HONE_CHECK(agent->start(now));
  return agent;
}

DeviceAgent::DeviceAgent(AgentOptions options, AgentPorts ports, DeviceFile device)
    : options_(std::move(options)),
      ports_(std::move(ports)),
      random_(ports_.random),
      device_(std::move(device)),
      backoff_{Backoff(seconds(1), minutes(10)), Backoff(seconds(1), minutes(5)),  Backoff(seconds(1), minutes(10)),
               Backoff(seconds(1), minutes(10)), Backoff(seconds(1), minutes(10)), Backoff(seconds(1), minutes(1))} {}

Result<> DeviceAgent::start(Time now) {
  HONE_TRY(repository_,
           TrustedRepository::open(ports_.files, options_.folder + "/trust", as_bytes(device_.ticket.root_json)));
  HONE_TRY(spool_, Spool::open(ports_.files, options_.folder + "/spool", options_.spool, random_));
  if (device_.offer) heard(*device_.offer);
  HONE_CHECK(load_installed(now));
  show();
  return {};
}

// The installed model, or the one before when it is damaged or brought the device down too often.
Result<> DeviceAgent::load_installed(Time now) {
  if (!device_.installed) return {};
  if (device_.trial) {
    ++device_.trial->boots;
    HONE_CHECK(save());  // before the model runs: a boot that ends here counts
    const TrialVerdict verdict = judge(options_.trial, {0, 0, Duration(0), device_.trial->boots});
    if (verdict.judgement == Judgement::revert) {
      revert(verdict.reason, now);
      return {};
    }
  }
  auto model = load(*device_.installed);
  if (!model) {
    if (model.error().code == Code::unavailable) return fail(model.error().within("load the installed model"));
    if (device_.trial) {
      revert("does not load: " + model.error().context, now);
      return {};
    }
    // A rotten file: the release is welcome to come again.
    error_[kUpdate] = "the installed model was lost: " + model.error().context;
    device_.installed = std::exchange(device_.previous, std::nullopt);
    if (device_.installed) {
      model = load(*device_.installed);
      if (!model) device_.installed.reset();
    }
    HONE_CHECK(save());
    if (!device_.installed) return {};
  }
  live_ = model->get();
  HONE_CHECK(slot_.publish(std::move(*model)));
  if (device_.trial) update_state_ = UpdateState::live;
  went_live();
  return {};
}

Result<std::unique_ptr<LiveModel>> DeviceAgent::load(const InstalledModel& installed) {
  HONE_TRY(const Bytes onnx,
           read_model(ports_.files, model_file(options_.folder, installed.slot), installed.model, installed.bytes));
  return LiveModel::installed(ports_.runtime, onnx, installed.signal, installed.release);
}

void DeviceAgent::went_live() {
  state_ = next_state(state_, device_.installed->goal_met ? DeviceEvent::live_at_goal : DeviceEvent::live_below_goal);
}

void DeviceAgent::heard(const wire::Offer& offer) {
  print_ = print_of(offer.signal);
  collect_ = offer.collect;
  const std::lock_guard lock(shared_mutex_);
  stream_ = offer.stream;
  if (!signal_ || !(*signal_ == offer.signal)) signal_ = std::make_shared<const wire::Signal>(offer.signal);
}

Result<> DeviceAgent::observe(const Sample& sample) {
  std::shared_ptr<const wire::Signal> signal;
  {
    const std::lock_guard lock(shared_mutex_);
    signal = signal_;
  }
  // Before the first offer the sizes cannot be checked: what does not fit is left out of its batch.
  HONE_CHECK(signal ? check(sample, *signal) : check(sample));
  if (collect_ == wire::Collect::none) {
    rows_skipped_.fetch_add(1, std::memory_order_relaxed);
    return {};
  }
  return spool_->append(sample);
}

Result<Readings> DeviceAgent::observe_readings(ByteView readings, std::int64_t label, Time at) {
  std::shared_ptr<const wire::Signal> signal;
  std::optional<wire::Stream> stream;
  {
    const std::lock_guard lock(shared_mutex_);
    signal = signal_;
    stream = stream_;
  }
  if (!signal) return fail(Code::unavailable, "the stream is not known before the first offer: go on stepping");
  if (!stream) return fail(Code::invalid, "this pipeline has no stream: observe whole samples");
  const std::lock_guard lock(windows_mutex_);
  if (!windows_ || !windows_->cuts(*stream, *signal)) windows_.emplace(*stream, *signal);
  if (readings.size() % windows_->reading_bytes() != 0)
    return fail(Code::invalid, "a reading of this pipeline is " + std::to_string(windows_->reading_bytes()) +
                                   " bytes; got " + std::to_string(readings.size()) + ", which is no multiple");
  const WindowCutter::Taken taken = windows_->take(readings, at);
  Readings result{taken.bytes, taken.complete, std::nullopt};
  if (!taken.complete) return result;
  if (auto observed = observe({windows_->window(), label, windows_->at()}); !observed)
    result.not_stored = std::move(observed).error();
  return result;
}

Result<Inference> DeviceAgent::infer_window(std::span<float> scores) const {
  Bytes window;
  {
    const std::lock_guard lock(windows_mutex_);
    if (!windows_ || !windows_->has_window()) return fail(Code::unavailable, "no window is complete yet");
    const ByteView newest = windows_->window();
    window.assign(newest.begin(), newest.end());
  }
  return infer(window, scores);
}

Result<Inference> DeviceAgent::infer(ByteView sample, std::span<float> scores) const {
  const auto model = slot_.acquire();
  if (!model) return fail(Code::not_found, "there is no model yet");
  Inference out;
  out.release = model->release();
  out.width = model->runner().width();
  const auto width = static_cast<std::size_t>(out.width);
  if (!scores.empty() && scores.size() < width) {
    return fail(Code::invalid, "the model gives " + std::to_string(width) + " scores; there is room for " +
                                   std::to_string(scores.size()));
  }
  std::array<float, kWidthOnStack> on_stack;
  std::vector<float> on_heap;
  std::span<float> outputs = scores.first(std::min(scores.size(), width));
  if (outputs.empty()) {
    if (width > on_stack.size()) on_heap.resize(width);
    outputs = width > on_stack.size() ? std::span<float>(on_heap) : std::span<float>(on_stack).first(width);
  }
  if (auto ran = model->runner().run(sample, 1, outputs); !ran) {
    if (ran.error().code != Code::invalid) {  // the caller's sizes are not the model's fault
      model->errors.fetch_add(1, std::memory_order_relaxed);
      inference_errors_.fetch_add(1, std::memory_order_relaxed);
    }
    return fail(ran.error());
  }
  const auto best = std::max_element(outputs.begin(), outputs.end());
  out.label = best - outputs.begin();
  out.score = *best;
  model->inferences.fetch_add(1, std::memory_order_relaxed);
  inferences_.fetch_add(1, std::memory_order_relaxed);
  return out;
}

Result<> DeviceAgent::sync() {
  return spool_->sync();
}

AgentStatus DeviceAgent::status() const {
  AgentStatus status;
  {
    const std::lock_guard lock(shared_mutex_);
    status = shown_;
  }
  status.collect = collect_;
  status.spool = spool_->status();
  status.rows_skipped = rows_skipped_.load(std::memory_order_relaxed);
  status.inferences = inferences_.load(std::memory_order_relaxed);
  status.inference_errors = inference_errors_.load(std::memory_order_relaxed);
  return status;
}

void DeviceAgent::show() {
  AgentStatus now;
  now.state = state_;
  now.update = update_state_;
  now.enrolled = device_.credential.has_value();
  if (device_.credential) now.device = device_.credential->device;
  if (live_) now.release = live_->release();
  now.goal_met = device_.installed && device_.installed->goal_met;
  now.rows_uploaded = rows_uploaded_;
  now.bytes_uploaded = bytes_uploaded_;
  now.rows_refused = rows_refused_;
  now.models_in_memory = slot_.models_in_memory();
  for (const std::string& error : error_) {
    if (error.empty()) continue;
    now.error = error;
    break;
  }
  const std::lock_guard lock(shared_mutex_);
  shown_ = std::move(now);
}

}  // namespace hone::edge
