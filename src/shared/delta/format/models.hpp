// Which counters there are and where they lie in the decoder's workspace, for both profiles.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "shared/delta/format/format.hpp"
#include "shared/delta/format/numbers.hpp"

namespace hone::delta {

inline constexpr uint32_t kActivityLevels = 8;
inline constexpr uint32_t kZeroContexts = kActivityLevels * 4;
inline constexpr uint32_t kScaleLevels = 9;  // five levels of the neighbours' scale, or four parts of the base value's octave

inline constexpr uint32_t kLengths = 32;  // nodes of a bit length's tree; doubles take two neighbours'
inline constexpr uint32_t kFactorCounters = 17 + 8 * 4;
inline constexpr uint32_t kIntraScales = 8;
inline constexpr uint32_t kMatchStates = 27;  // kinds of the last three symbols

struct Dimensions {
  uint32_t classes;           // magnitude classes of base values
  uint32_t run_levels;        // of recent runs' lengths
  uint32_t scale_levels;      // of recent differences against what the class expects
  uint32_t top_by_class;      // whether the bits below the leading one know the class
  uint32_t intra_scales;      // contexts of an exponent without a base
  uint32_t step_levels;       // of recent steps' sizes on the lattice
  uint32_t factor_components; // of a low-rank update that have counters of their own
  size_t factor_bytes;        // for its factors
  uint32_t literal_contexts;  // of the byte before
  uint32_t distance_contexts;
  uint32_t literal_mixing;    // whether literals mix contexts of no byte, one and two
  size_t base_buffer_bytes;
  size_t out_buffer_bytes;
};
[[nodiscard]] constexpr Dimensions dimensions(Profile profile) {
  return kSmallOnly || profile == Profile::small ? Dimensions{8, 8, 1, 0, 1, 4, 1, 4096, 3, 1, 0, 512, 512}
                                   : Dimensions{32, 16, kScaleLevels, 1, kIntraScales, 8, 8, 262144, 256, 4, 1, 65536, 32768};
}

// Counts of counters, in the order in which they lie.
struct Layout {
  uint32_t op_kind, op_type, op_bytes, op_shift;
  uint32_t zero, run, run_high, run_long, sign, length, top;  // residual
  uint32_t exponent, intra_top, integer_sign;  // intra
  uint32_t step_zero, step_sign, step_length, step_top, factor;  // lattice, low rank
  uint32_t is_match, is_rep, rep_index, is_near, match_length, rep_length, distance, align, near, literal, matched, second, alone, weights;
  uint32_t total;
};
[[nodiscard]] constexpr Layout layout(Profile profile) {
  const Dimensions d = dimensions(profile);
  Layout l{};
  uint32_t at = 0;
  const auto take = [&](uint32_t& field, uint32_t n) { field = at, at += n; };
  take(l.op_kind, 8 * 8);
  take(l.op_type, 16 + 3);
  take(l.op_bytes, kNumberCounters);
  take(l.op_shift, kNumberCounters + 2);
  take(l.zero, d.classes * kZeroContexts);
  take(l.run, d.run_levels * 16);
  take(l.run_high, 16);
  take(l.run_long, kNumberCounters);
  take(l.sign, 2 * 4);
  take(l.length, d.classes * d.scale_levels * kLengths);
  take(l.top, (d.top_by_class != 0 ? d.classes : 1) * 32 * 8);
  take(l.exponent, d.intra_scales * 64);
  take(l.intra_top, d.classes * 16);
  take(l.integer_sign, 4);
  take(l.step_zero, kZeroContexts);
  take(l.step_sign, 4);
  take(l.step_length, d.step_levels * kLengths);
  take(l.step_top, 8 * 8);
  take(l.factor, 2 * d.factor_components * kFactorCounters);
  take(l.is_match, kMatchStates * 4);
  take(l.is_rep, kMatchStates);
  take(l.rep_index, kMatchStates * 4);
  take(l.is_near, kMatchStates);
  take(l.match_length, kNumberCounters);
  take(l.rep_length, kNumberCounters);
  take(l.distance, d.distance_contexts * kNumberCounters);
  take(l.align, 16);
  take(l.near, kNumberCounters + 2);
  take(l.literal, d.literal_contexts * 256);
  take(l.matched, d.literal_mixing != 0 ? 512 : 256);
  take(l.second, d.literal_mixing * 65536);
  take(l.alone, d.literal_mixing * 256);
  take(l.weights, d.literal_mixing * 3 * 8 * 4);
  l.total = at;
  return l;
}
template <Profile kProfile>
inline constexpr Layout kLayout = layout(kProfile);
[[nodiscard]] constexpr size_t counters_of(Profile profile) {
  return kSmallOnly || profile == Profile::small ? kLayout<Profile::small>.total : kLayout<Profile::standard>.total;
}
static_assert(dimensions(Profile::small).factor_bytes <= (kLayout<Profile::small>.second - kLayout<Profile::small>.literal) * sizeof(Counter));
static_assert(kSmallOnly || dimensions(Profile::standard).factor_bytes <= (kLayout<Profile::standard>.alone - kLayout<Profile::standard>.second) * sizeof(Counter));
static_assert(layout(Profile::small).total * sizeof(Counter) <= 14400);
static_assert(layout(Profile::standard).total * sizeof(Counter) < 900 * 1024);

// An element may begin before the end of the out buffer and end after it.
inline constexpr size_t kOutSlackBytes = 8;

// What value models remember beside their counters. Set to zero when a patch begins and when the
// element type changes.
struct ValueMemory {
  uint32_t activity;      // moving share of changed values, of 65536
  uint32_t last;          // two flags: were the last two changed
  int32_t deviation;      // of the recent bit lengths against the class's mean, 8 fraction bits
  uint32_t run_mean;      // of runs' lengths, 4 fraction bits
  uint64_t run;           // 1 + unchanged elements before the next change; 0: not known yet
  uint32_t last_sign;     // 0 none, 1 up, 2 down
  int32_t scale;          // moving mean of exponents without a base, or of steps' bit lengths, 8 fraction bits
  uint16_t mean[32];      // bit length by class, 8 fraction bits; 0 = none yet
};

// What the generic model remembers.
struct GenericMemory {
  uint64_t rep[4];   // distances in base followed by target
  uint32_t state;    // kinds of the last three symbols: 0 literal, 1 match, 2 rep
  uint32_t before;   // the four bytes before, the last one lowest
};

}  // namespace hone::delta
