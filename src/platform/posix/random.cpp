#include <sodium.h>

#include "platform/posix/posix.hpp"

namespace hone::platform {
namespace {

// libsodium reads getrandom(2), and ends the process rather than hand out weak bytes.
class SystemRandom : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override { randombytes_buf(out.data(), out.size()); }
};

}  // namespace

std::unique_ptr<Random> make_system_random() {
  return std::make_unique<SystemRandom>();
}

}  // namespace hone::platform
