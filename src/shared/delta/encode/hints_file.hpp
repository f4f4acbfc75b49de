// A file of hints: JSON, a list of {"tensor", "rows", "columns", "rank", "shift", "scale", "u", "v"}, the
// last two flat lists of integers, row by row.
#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "shared/delta/encode/low_rank_hint.hpp"

namespace hone::delta {

inline constexpr std::size_t kHintsBytesMax = 256u << 20;

// Any bytes may come. Errors: invalid.
[[nodiscard]] Result<std::vector<LowRankHint>> read_hints(ByteView file);

// The file that read_hints reads back.
[[nodiscard]] Bytes write_hints(const std::vector<LowRankHint>& hints);

}  // namespace hone::delta
