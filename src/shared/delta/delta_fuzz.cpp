// Hostile patches: the header is completed so that it names the base at hand, as an attacker would.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/hash.hpp"
#include "shared/delta/apply.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  static const Bytes base = [] {
    Bytes bytes(4096);
    std::uint32_t state = 1;
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
    return bytes;
  }();
  constexpr std::uint64_t kTargetMax = 1 << 16;
  Bytes patch(data, data + size);
  if (patch.size() >= delta::kHeaderBytes) {
    std::memcpy(patch.data(), delta::kMagic, 4);
    patch[4] = delta::kVersion;
    patch[5] &= 1;
    patch[6] = patch[7] = 0;
    const std::uint64_t base_bytes = base.size();
    std::memcpy(patch.data() + 8, &base_bytes, 8);
    std::memset(patch.data() + 18, 0, 6);
    const Sha256 hash = sha256(base);
    std::memcpy(patch.data() + 24, hash.bytes.data(), 32);
  }
  std::uint64_t written = 0;
  const auto done = delta::apply(base, patch, kTargetMax, [&](ByteView bytes) -> Result<> {
    written += bytes.size();
    return {};
  });
  if (written > kTargetMax) std::abort();
  (void)done;
  return 0;
}
