// A real publisher, a real device, and an attacker who owns everything in between: the mirror
// serves what he wants. Where a test says so he has stolen keys as well.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cloud/publish/publish.hpp"
#include "cloud/publish/signing_keys.hpp"
#include "edge/verify/verify.hpp"
#include "platform/sim/sim.hpp"
#include "shared/trust/envelope.hpp"
#include "shared/trust/metadata.hpp"
#include "shared/wire/release.hpp"

namespace hone::attack {

using trust::RoleName;

using Mirror = std::map<std::string, Bytes>;  // "metadata/timestamp.json" -> bytes

class AttackedRepository : public testing::Test {
 protected:
  void SetUp() override;

  // A release of pipeline digits, as the cloud publishes it.
  [[nodiscard]] std::vector<cloud::NewTarget> release(std::uint64_t seq) const;
  void publish(std::uint64_t seq);
  // All that the real repository holds now, for replays.
  [[nodiscard]] Mirror copy() const;

  // A refresh of the device against the repository with the attacker's files laid over it.
  [[nodiscard]] Result<> refresh();
  [[nodiscard]] Code refused();  // the code of a refresh that must fail
  void reboot_device();          // a new process over the same disk
  [[nodiscard]] bool device_knows(std::uint64_t seq) const;

  // Stolen keys, and metadata signed with them.
  [[nodiscard]] trust::SigningKey stolen(RoleName role) const;
  [[nodiscard]] trust::SigningKey own_key() { return trust::SigningKey::generate(random); }
  [[nodiscard]] Json content(const std::string& path) const;  // "signed" of what is published
  [[nodiscard]] static Bytes sign(const Json& content, std::vector<trust::SigningKey> keys);
  // A chain timestamp -> snapshot -> targets over the mirror, each changed by the caller, each
  // signed with the stolen key of its role and naming the one below correctly.
  struct Forgery {
    std::function<void(Json&)> timestamp = [](Json&) {};
    std::function<void(Json&)> snapshot = [](Json&) {};
    std::function<void(Json&)> targets = [](Json&) {};
  };
  void forge(const Forgery& forgery);
  [[nodiscard]] Json current(RoleName role) const;
  // Root version + 1, changed, signed with the keys given.
  void rotate_root(const std::function<void(Json&)>& change, std::vector<trust::SigningKey> keys);

  PipelineName pipeline{"digits"};
  Time now = *from_rfc3339("2026-11-23T00:00:00Z");
  platform::SimRandom random{42};
  platform::SimFiles cloud_disk;
  platform::SimFiles device_disk;
  std::unique_ptr<cloud::Publisher> publisher;
  std::unique_ptr<edge::TrustedRepository> device;
  Bytes first_root;

  Mirror mirror;                     // laid over the repository
  bool repository_reachable = true;  // false: the mirror is all there is
  std::vector<std::string> asked;    // paths, in order
  std::uint64_t bytes_fetched = 0;
};

}  // namespace hone::attack
