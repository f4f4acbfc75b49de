// Applies a patch: the convenient call over the freestanding decoder in delta/decode.
// Checks the base's SHA-256 before the first write and the target's before success.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "shared/delta/format/format.hpp"

namespace hone::delta {

// Where a target goes, in order, and is read back from: a match may reach back to any of it.
class TargetSink {
 public:
  virtual ~TargetSink() = default;
  [[nodiscard]] virtual Result<> write(ByteView piece) = 0;
  // What was written before from `offset` on, all of `out`.
  [[nodiscard]] virtual Result<> read(std::uint64_t offset, std::span<std::uint8_t> out) = 0;
};

// Errors: wrong_base, damaged (bad patch), no_space (the target would exceed `target_bytes_max`), or
// what the sink returned.
[[nodiscard]] Result<> apply(ByteView base, ByteView patch, std::uint64_t target_bytes_max, TargetSink& target);

// The same into memory.
[[nodiscard]] Result<Bytes> apply(ByteView base, ByteView patch, std::uint64_t target_bytes_max);

// What a decoder's status means to a caller.
[[nodiscard]] Error error_of(Status status);

}  // namespace hone::delta
