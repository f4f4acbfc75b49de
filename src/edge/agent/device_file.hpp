// What a device remembers across power cuts, in one small file that is replaced whole:
// docs/formats/device-state.md. It holds the device's secret: keep its folder private.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "edge/upload/governor.hpp"
#include "shared/wire/messages.hpp"

namespace hone::edge {

struct InstalledModel {
  ReleaseSeq release;
  ModelHash model;
  std::uint64_t bytes = 0;
  char slot = 'a';  // its file is models/<slot>.onnx
  wire::Signal signal;
  bool goal_met = false;
};

// The installed model is not proved yet.
struct Trial {
  int boots = 0;  // starts of the device since it went live
  Time live_at{};
  bool by_delta = false;
  std::uint64_t fetched_bytes = 0;
};

struct DeviceFile {
  wire::Ticket ticket;
  std::string nonce;                            // of the enrolment
  std::optional<wire::EnrollReply> credential;  // absent: not enrolled yet
  std::optional<InstalledModel> installed;
  std::optional<InstalledModel> previous;  // the way back
  std::optional<Trial> trial;              // of `installed`
  ReleaseSeq highest;                      // ever installed: nothing older is taken
  std::vector<ReleaseSeq> refused;         // failed here for good, newest last
  std::vector<wire::Outcome> outcomes;     // not acknowledged yet, oldest first
  std::optional<wire::Offer> offer;        // the last one heard
  DayLedger sent;
};

constexpr std::size_t kRefusedMax = 32;
constexpr std::size_t kOutcomesMax = 16;
constexpr std::size_t kDeviceFileBytesMax = 1u << 20;

void remember_refused(DeviceFile& device, ReleaseSeq release);
void remember_outcome(DeviceFile& device, wire::Outcome outcome);

// not_found on a new device; damaged when the file is not ours.
[[nodiscard]] Result<DeviceFile> read_device_file(Files& files, const std::string& path);
[[nodiscard]] Result<> write_device_file(Files& files, const std::string& path, const DeviceFile& device);

}  // namespace hone::edge
