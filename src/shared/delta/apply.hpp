// Applies a patch: the convenient call over the freestanding decoder in delta/decode.
// Checks the base's SHA-256 before the first write and the target's before success.
#pragma once

#include <cstdint>
#include <functional>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace hone::delta {

// `write` gets the target in order, in pieces. Errors: wrong_base, damaged (bad patch),
// no_space (the target would exceed `target_bytes_max`), or what `write` returned.
[[nodiscard]] Result<> apply(ByteView base, ByteView patch, std::uint64_t target_bytes_max,
                             const std::function<Result<>(ByteView)>& write);

}  // namespace hone::delta
