#include "platform/posix/posix.hpp"

namespace hone::platform {
namespace {

class SystemClock : public Clock {
 public:
  [[nodiscard]] Time now() const override { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }
};

}  // namespace

std::unique_ptr<Clock> make_system_clock() {
  return std::make_unique<SystemClock>();
}

}  // namespace hone::platform
