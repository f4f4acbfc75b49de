// Chooses literals and matches for plain bytes: a forward dynamic programme over prices taken from
// the counters as they stand, as LZMA and zstd -19 do.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "shared/delta/encode/encoder_state.hpp"
#include "shared/delta/encode/match_finder.hpp"

namespace hone::delta {

struct ParserLimits {
  std::uint32_t nice_length = 128;  // a match this long is taken at once
  std::uint32_t match_min = 3;      // shorter ones are not looked at, so that literals learn their contexts
  std::function<void(std::uint64_t)> on_bytes{};  // hears how many are coded, now and then
};

// Codes target[from, from + count) with `coder` (encoder or cost counter) and moves `state` on.
template <Profile kProfile, class Coder>
void code_generic(Coder& coder, EncoderState& state, MatchFinder& finder, ByteView base, ByteView target,
                  std::uint64_t from, std::uint64_t count, const ParserLimits& limits);

}  // namespace hone::delta
