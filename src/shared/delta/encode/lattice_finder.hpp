// Finds out whether an fp32 tensor lies on its base's lattice (format/lattice.hpp) or is a low-rank
// update of it (format/low_rank.hpp). What is found is verified bit for bit.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "shared/delta/encode/low_rank_hint.hpp"

namespace hone::delta {

struct LatticeSteps {
  std::int32_t scale = 0;           // s
  std::vector<std::int64_t> steps;  // k of each element; of a low-rank update what corrects the product
};

// The coarsest lattice. None when there is none, or nothing changed.
[[nodiscard]] std::optional<LatticeSteps> find_lattice(ByteView base, ByteView target);

// The corrections that the hint's factors leave. None when they cannot lead to the target.
[[nodiscard]] std::optional<LatticeSteps> correct_low_rank(ByteView base, ByteView target, const LowRankHint& hint);

}  // namespace hone::delta
