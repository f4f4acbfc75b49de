// What rollout asks of a database: the devices, what they run and how releases went on them.
// Each call is one transaction, durable when it returns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "shared/wire/messages.hpp"

namespace hone::cloud {

struct SignOfLife {
  ReleaseSeq running;
  std::string state;         // as the device calls it: "learning"
  std::int64_t spooled = 0;  // rows
};

struct DeviceRow {
  DeviceId id;
  PipelineName pipeline;
  Time enrolled{}, seen{};
  SignOfLife life;
  std::int64_t batches = 0, rows = 0, bytes = 0;  // sent, stored
};

struct OutcomeRow {
  DeviceId device;
  Time at{};  // when it was told first
  wire::Outcome outcome;
};

class DeviceStore {
 public:
  virtual ~DeviceStore() = default;

  [[nodiscard]] virtual Result<> seen(const DeviceId& device, const SignOfLife& life, Time now) = 0;
  [[nodiscard]] virtual Result<> seen(const DeviceId& device, Time now) = 0;  // nothing told but that it lives
  // Idempotent per device, release and kind; the newest counts of inferences and errors stay.
  [[nodiscard]] virtual Result<> add_outcome(const DeviceId& device, const PipelineName& pipeline,
                                             const wire::Outcome& outcome, Time now) = 0;
  [[nodiscard]] virtual Result<std::vector<DeviceRow>> devices(const PipelineName& pipeline) = 0;  // empty name: all
  [[nodiscard]] virtual Result<std::vector<OutcomeRow>> outcomes(const PipelineName& pipeline, ReleaseSeq release) = 0;
  [[nodiscard]] virtual Result<std::optional<OutcomeRow>> last_outcome(const DeviceId& device) = 0;
};

}  // namespace hone::cloud
