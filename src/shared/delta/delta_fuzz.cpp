// Hostile patches: the header is completed so that it names the base at hand, as an attacker would.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

#include "base/hash.hpp"
#include "shared/delta/apply.hpp"

namespace {

constexpr std::uint64_t kTargetMax = 1 << 16;

// Holds the decoder to its bounds.
class Sink final : public hone::delta::TargetSink {
 public:
  hone::Result<> write(hone::ByteView piece) override {
    written_.insert(written_.end(), piece.begin(), piece.end());
    if (written_.size() > kTargetMax) std::abort();
    return {};
  }
  hone::Result<> read(std::uint64_t offset, std::span<std::uint8_t> out) override {
    if (offset > written_.size() || out.size() > written_.size() - offset) std::abort();
    std::memcpy(out.data(), written_.data() + offset, out.size());
    return {};
  }

 private:
  hone::Bytes written_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  static const Bytes base = [] {
    Bytes bytes(4096);
    std::uint32_t state = 1;
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
    return bytes;
  }();
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
  Sink sink;
  (void)delta::apply(base, patch, kTargetMax, sink);
  return 0;
}
