// What joining and signing in ask of a database. It keeps no secret, only their SHA-256.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace hone::cloud {

struct TicketRow {
  Sha256 token;
  PipelineName pipeline;
  Time expires{};
  std::optional<DeviceId> device;  // who used it
  std::optional<Sha256> nonce;     // of the request that used it
};

struct DeviceCredential {
  PipelineName pipeline;
  Sha256 secret;
};

class CredentialStore {
 public:
  virtual ~CredentialStore() = default;
  [[nodiscard]] virtual Result<> add_ticket(const TicketRow& ticket) = 0;
  [[nodiscard]] virtual Result<std::optional<TicketRow>> ticket(const Sha256& token) = 0;
  // The device and the use of its ticket in one transaction. False when somebody used it first.
  [[nodiscard]] virtual Result<bool> use_ticket(const Sha256& token, const DeviceId& device, const Sha256& secret,
                                                const std::optional<Sha256>& nonce, Time now) = 0;
  [[nodiscard]] virtual Result<std::optional<DeviceCredential>> device(const DeviceId& device) = 0;
};

}  // namespace hone::cloud
