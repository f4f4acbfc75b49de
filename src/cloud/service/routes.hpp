// The calls of docs/formats/messages.md, grouped by who makes them.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "cloud/service/access.hpp"
#include "cloud/service/registry.hpp"
#include "cloud/service/router.hpp"
#include "cloud/service/service.hpp"
#include "cloud/service/stores.hpp"

namespace hone::cloud {

// What went wrong in the background work, by pipeline ("" for what concerns all); for `status`.
// Safe for use by several threads.
class Problems {
 public:
  void set(const std::string& where, const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (what.empty()) {
      what_.erase(where);
    } else {
      what_[where] = what;
    }
  }
  [[nodiscard]] std::string get(const std::string& where) const {
    const std::lock_guard lock(mutex_);
    const auto found = what_.find(where);
    return found == what_.end() ? std::string() : found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> what_;  // guarded by mutex_
};

// What handlers work with. All of it is safe for use by several threads, or constant.
struct Desk {
  const ServiceConfig& config;
  Stores& stores;
  Registry& registry;
  Access& access;
  Problems& problems;
  BrokerAccounts* accounts;
  std::string root_json;  // the trust anchor that tickets carry
  std::function<void()> wake;
};

[[nodiscard]] std::vector<Route> device_routes(Desk& desk);
[[nodiscard]] std::vector<Route> trainer_routes(Desk& desk);
[[nodiscard]] std::vector<Route> admin_routes(Desk& desk);
[[nodiscard]] std::vector<Route> job_routes(Desk& desk);

// The body's "reason", of at most 512 bytes; `otherwise` where it is absent or empty.
[[nodiscard]] Result<std::string> reason_in(const Json& body, std::string otherwise);

}  // namespace hone::cloud
