// hone on a device, for C++17 and later: a thin owner over hone.h, which has the rules on threads.
//
//   auto device = hone::Device::open("/var/lib/camera/hone", "ticket.json");   // throws hone::Failure
//   thread A:  if (auto answer = device.infer(image, 784)) show(answer->label);
//   thread B:  for (;;) sleep(device.step());
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "hone/hone.h"

namespace hone {

class Failure : public std::runtime_error {
 public:
  Failure(hone_code code, const char* message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] hone_code code() const noexcept { return code_; }

 private:
  hone_code code_;
};

class Device {
 public:
  [[nodiscard]] static Device open(const hone_options& options) {
    char message[HONE_MESSAGE_BYTES];
    hone_device* handle = nullptr;
    check(hone_open(&options, &handle, message, sizeof message), message);
    return Device(handle);
  }
  [[nodiscard]] static Device open(const std::string& state_folder, const std::string& ticket_file = {}) {
    hone_options options = HONE_OPTIONS_INIT;
    options.state_folder = state_folder.c_str();
    if (!ticket_file.empty()) options.ticket_file = ticket_file.c_str();
    return open(options);
  }
  Device(Device&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Device& operator=(Device&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Device() { hone_close(handle_); }

  void observe(const void* sample, std::size_t bytes, std::int32_t label = HONE_NO_LABEL) {
    char message[HONE_MESSAGE_BYTES];
    check(hone_observe(handle_, sample, bytes, label, message, sizeof message), message);
  }

  // Nothing while there is no model. `scores`, when given, gets all outputs.
  [[nodiscard]] std::optional<hone_result> infer(const void* sample, std::size_t bytes,
                                                 std::vector<float>* scores = nullptr) const {
    char message[HONE_MESSAGE_BYTES];
    hone_result result = HONE_RESULT_INIT;
    const hone_code code = hone_infer(handle_, sample, bytes, &result, scores ? scores->data() : nullptr,
                                      scores ? scores->size() : 0, message, sizeof message);
    if (code == HONE_NO_MODEL) return std::nullopt;
    check(code, message);
    return result;
  }

  // Readings of a stream, oldest first; calls on_window() after each window that they complete, where infer_window()
  // answers about it. Before the pipeline is known nothing is taken: false.
  template <class OnWindow>
  bool observe_readings(const void* readings, std::size_t bytes, OnWindow&& on_window, std::int64_t at_ms = HONE_NOW,
                        std::int32_t label = HONE_NO_LABEL) {
    const auto* rest = static_cast<const unsigned char*>(readings);
    while (bytes > 0) {
      char message[HONE_MESSAGE_BYTES];
      std::size_t taken = 0;
      int complete = 0;
      const hone_code code =
          hone_observe_readings(handle_, rest, bytes, at_ms, label, &taken, &complete, message, sizeof message);
      if (code == HONE_UNAVAILABLE && taken == 0) return false;
      if (complete) on_window();
      check(code, message);
      rest += taken;
      bytes -= taken;
    }
    return true;
  }

  // infer() on the newest complete window; nothing while there is none.
  [[nodiscard]] std::optional<hone_result> infer_window(std::vector<float>* scores = nullptr) const {
    char message[HONE_MESSAGE_BYTES];
    hone_result result = HONE_RESULT_INIT;
    const hone_code code = hone_infer_window(handle_, &result, scores ? scores->data() : nullptr,
                                             scores ? scores->size() : 0, message, sizeof message);
    if (code == HONE_NO_MODEL || code == HONE_UNAVAILABLE) return std::nullopt;
    check(code, message);
    return result;
  }

  // How long to sleep until the next call, at most.
  std::chrono::milliseconds step() {
    std::uint32_t sleep_ms = 0;
    check(hone_step(handle_, &sleep_ms), "step");
    return std::chrono::milliseconds(sleep_ms);
  }

  void sync() {
    char message[HONE_MESSAGE_BYTES];
    check(hone_sync(handle_, message, sizeof message), message);
  }

  [[nodiscard]] hone_device_status status() const {
    hone_device_status status{};
    status.struct_size = sizeof status;
    check(hone_status(handle_, &status), "status");
    return status;
  }

 private:
  explicit Device(hone_device* handle) : handle_(handle) {}
  static void check(hone_code code, const char* message) {
    if (code != HONE_OK) throw Failure(code, message);
  }
  hone_device* handle_;
};

}  // namespace hone
