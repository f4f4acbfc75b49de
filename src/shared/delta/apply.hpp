// Applies a patch: the convenient call over the freestanding decoder in delta/decode.
// Checks the base's SHA-256 before the first write and the target's before success.
#pragma once

#include <cstdint>
#include <functional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "shared/delta/format/format.hpp"

namespace hone::delta {

// `write` gets the target in order, in pieces. Errors: wrong_base, damaged (bad patch),
// no_space (the target would exceed `target_bytes_max`), or what `write` returned.
[[nodiscard]] Result<> apply(ByteView base, ByteView patch, std::uint64_t target_bytes_max,
                             const std::function<Result<>(ByteView)>& write);

// What a decoder's status means to a caller.
[[nodiscard]] Error error_of(Status status);

}  // namespace hone::delta
