// By how many blocks an in-place patch should move the base up first, so that what it needs of the base
// is still there when it needs it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "shared/delta/encode/plan.hpp"

namespace hone::delta {

// Shifts above zero, in rising order: few enough to try them all. Empty when the layout needs none.
[[nodiscard]] std::vector<std::uint32_t> shifts_worth_trying(ByteView base, ByteView target,
                                                             const std::vector<Segment>& segments,
                                                             std::uint8_t block_log2);

}  // namespace hone::delta
