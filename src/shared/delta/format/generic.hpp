// Coding of plain bytes: literals and matches into the base followed by the target written so far.
// A distance d at target place t means the byte at (base_bytes + t - d) of that sequence.
#pragma once

#include <stdint.h>

#include "shared/delta/format/mixing.hpp"
#include "shared/delta/format/models.hpp"

namespace hone::delta {

enum class Symbol : uint8_t { literal, match, rep };
struct Match {
  Symbol kind;
  uint32_t rep;       // which of the four distances, when kind is rep
  uint64_t distance;  // when kind is match
  uint64_t length;    // at least kMatchMin
  bool is_near;       // a new distance is told as a step from the first one; for the encoder to choose
};
inline constexpr uint64_t kNearMax = 4096;
inline constexpr uint64_t kMatchMin = 2;

inline void push_symbol(GenericMemory& memory, Symbol kind) {
  memory.state = (memory.state * 3 + static_cast<uint32_t>(kind)) % 27;
}

// A copy or a residual tells where matches will probably go on.
inline void note_alignment(GenericMemory& memory, uint64_t distance) {
  uint32_t i = 0;
  while (i < 3 && memory.rep[i] != distance) ++i;
  for (; i > 0; --i) memory.rep[i] = memory.rep[i - 1];
  memory.rep[0] = distance;
}

// The bytes that were written last, for the contexts.
inline void note_bytes(GenericMemory& memory, const uint8_t* bytes, uint64_t count) {
  for (uint64_t i = count < 4 ? 0 : count - 4; i < count; ++i) memory.before = memory.before << 8 | bytes[i];
}

// Small profile: what the byte before tells of a literal: small letters, the rest of text, other bytes.
[[nodiscard]] inline uint32_t byte_kind(uint32_t byte) { return byte >= 128 || byte < 9 ? 2 : byte >= 96 ? 0 : 1; }

// Where one bit of a literal stands in the small profile. `expected` is the byte at the most recent
// distance, or 256 when there is none. As long as it is right, which is asked only soon after a
// match, what is coded is whether the bit differs from it.
template <Profile kProfile>
struct PlainLiteral {
  static constexpr Layout l = kLayout<kProfile>;
  const uint32_t kind;
  const uint32_t expected;
  bool agrees;

  PlainLiteral(const GenericMemory& memory, uint32_t expected_byte)
      : kind(byte_kind(memory.before & 255u)), expected(expected_byte), agrees(expected_byte < 256 && memory.state != 0) {}
  [[nodiscard]] uint32_t counter(uint32_t node) const { return agrees ? l.matched + node : l.literal + kind * 256 + node; }
  // From a bit to what is coded for it, and back.
  [[nodiscard]] uint32_t turn(uint32_t bit, uint32_t shift) const { return agrees ? bit ^ (expected >> shift & 1u) : bit; }
  void learn(uint32_t turned) { agrees = agrees && turned == 0; }
};

// And in the standard profile: four predictions, mixed. `node` is 1 and the byte's bits so far.
template <Profile kProfile>
struct MixedLiteral {
  static constexpr Layout l = kLayout<kProfile>;
  const uint32_t before;
  const uint32_t expected;
  bool agrees;

  MixedLiteral(const GenericMemory& memory, uint32_t expected_byte)
      : before(memory.before), expected(expected_byte), agrees(expected_byte < 256) {}
  template <class AnyCounter>  // const or not
  void inputs(AnyCounter* counters, uint32_t node, uint32_t shift, AnyCounter** to) const {
    to[0] = counters + l.alone + node;
    to[1] = counters + l.literal + (before & 255u) * 256 + node;
    to[2] = counters + l.second + ((((before & 0xFFFFu) * 0x9E3779B1u >> 16) + node * 0x9E35u) & 0xFFFFu);
    to[3] = agrees ? counters + l.matched + (expected >> shift & 1u) * 256 + node : nullptr;
  }
  [[nodiscard]] uint32_t weights(uint32_t shift) const {
    const uint32_t state = expected > 255 ? 0 : agrees ? 1 : 2;
    return l.weights + (state * 8 + shift) * kMixed;
  }
  void learn(uint32_t bit, uint32_t shift) { agrees = agrees && bit == (expected >> shift & 1u); }
};

template <Profile kProfile, class C>
inline uint32_t code_literal(C& coder, Counter* counters, GenericMemory& memory, uint32_t expected, uint32_t given) {
  uint32_t node = 1;
  if constexpr (dimensions(kProfile).literal_mixing != 0) {
    MixedLiteral<kProfile> literal(memory, expected);
    for (uint32_t shift = 8; shift-- > 0;) {
      Counter* inputs[kMixed];
      literal.inputs(counters, node, shift, inputs);
      Counter* weights = counters + literal.weights(shift);
      const Mix mixed = mix(inputs, weights);
      const uint32_t bit = coder.probable(mixed.p16, given >> shift & 1u);
      learn(mixed, weights, bit);
      for (Counter* input : inputs)
        if (input != nullptr) input->update(bit, kLiteralLimit);
      literal.learn(bit, shift);
      node = node << 1 | bit;
    }
  } else {
    PlainLiteral<kProfile> literal(memory, expected);
    for (uint32_t shift = 8; shift-- > 0;) {
      const uint32_t turned =
          coder.bit(counters[literal.counter(node)], literal.turn(given >> shift & 1u, shift), kLiteralLimit);
      node = node << 1 | literal.turn(turned, shift);
      literal.learn(turned);
    }
  }
  memory.before = memory.before << 8 | (node & 255u);
  push_symbol(memory, Symbol::literal);
  return node & 255u;
}

// Codes what comes next, all but a literal's byte. `length_max` > 0 is what is left of the operation,
// `place` the place in the target. Updates the distances. False: the patch is damaged.
template <Profile kProfile, class C>
inline bool code_symbol(C& coder, Counter* counters, GenericMemory& memory, uint64_t place, uint64_t length_max,
                        Match& match) {
  constexpr Dimensions d = dimensions(kProfile);
  constexpr Layout l = kLayout<kProfile>;
  const uint32_t state = memory.state;
  const uint32_t align = static_cast<uint32_t>(place & 3u);
  if (coder.bit(counters[l.is_match + state * 4 + align], match.kind != Symbol::literal, kGenericLimit) == 0) {
    match.kind = Symbol::literal;
    match.length = 1;
    return true;
  }
  if (coder.bit(counters[l.is_rep + state], match.kind == Symbol::rep, kGenericLimit) != 0) {
    match.kind = Symbol::rep;
    match.rep = code_tree(coder, counters + l.rep_index + state * 4, 2, match.rep, kGenericLimit);
    match.length = kMatchMin + code_number(coder, counters + l.rep_length, match.length - kMatchMin, kGenericLimit);
    match.distance = memory.rep[match.rep];
    for (uint32_t i = match.rep; i > 0; --i) memory.rep[i] = memory.rep[i - 1];
    memory.rep[0] = match.distance;
    push_symbol(memory, Symbol::rep);
  } else {
    match.kind = Symbol::match;
    match.length = kMatchMin + code_number(coder, counters + l.match_length, match.length - kMatchMin, kGenericLimit);
    const uint64_t off = match.distance - memory.rep[0];
    const bool up = match.distance > memory.rep[0];
    const uint64_t size = up ? off : ~off + 1;
    if (coder.bit(counters[l.is_near + state], match.is_near, kGenericLimit) != 0) {
      Counter* near = counters + l.near;
      const uint32_t is_up = coder.bit(near[kNumberCounters], up, kGenericLimit);
      const uint64_t by = code_number(coder, near, size - 1, kGenericLimit) + 1;
      if (by > kNearMax) return false;
      match.distance = is_up != 0 ? memory.rep[0] + by : memory.rep[0] - by;
    } else {
      const uint64_t size_class = match.length - kMatchMin;
      const uint32_t context = size_class < d.distance_contexts ? static_cast<uint32_t>(size_class) : d.distance_contexts - 1;
      Counter* nodes = counters + l.distance + context * kNumberCounters;
      // The low four bits apart: structures repeat at multiples of their size.
      const uint64_t high = code_number(coder, nodes, (match.distance - 1) >> 4, kGenericLimit);
      if (high > kFileBytesMax) return false;
      match.distance = (high << 4 | code_tree(coder, counters + l.align, 4, static_cast<uint32_t>(match.distance - 1) & 15u,
                                              kGenericLimit)) + 1;
    }
    for (uint32_t i = 3; i > 0; --i) memory.rep[i] = memory.rep[i - 1];
    memory.rep[0] = match.distance;
    push_symbol(memory, Symbol::match);
  }
  return match.length <= length_max;
}

}  // namespace hone::delta
