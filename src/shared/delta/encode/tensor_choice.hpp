// Chooses how a tensor is coded: the cheapest operation under the counters as they stand.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "shared/delta/encode/encoder_state.hpp"
#include "shared/delta/encode/lattice_finder.hpp"
#include "shared/delta/encode/low_rank_hint.hpp"
#include "shared/delta/encode/plan.hpp"

namespace hone::delta {

// An operation and what the encoder knows beyond it.
struct Coding {
  Operation operation{};
  LatticeSteps lattice{};             // of lattice and low_rank
  const LowRankHint* hint = nullptr;  // of low_rank
};

struct TensorChoice {
  Coding coding;
  double bits_per_byte;  // estimated, of 8
};

// The part of a tensor that costs are estimated on.
struct Sample {
  std::uint64_t start;
  std::uint64_t bytes;
};
[[nodiscard]] Sample sample_of(const Segment& segment);

// All but copies and plain bytes. `hint` may be null.
template <Profile kProfile>
[[nodiscard]] TensorChoice choose_coding(const EncoderState& state, const Segment& segment, ByteView base, ByteView target,
                                         const LowRankHint* hint);

// Codes the content of an operation with values. `base` and `target` are the tensor's (the same part of
// both, of `coding.lattice.steps` too); `base` is empty for intra.
template <Profile kProfile, class Coder>
void code_content(Coder& coder, EncoderState& state, const Coding& coding, ByteView base, ByteView target);

}  // namespace hone::delta
