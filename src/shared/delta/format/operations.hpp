// Coding of an operation's head.
#pragma once

#include <stdint.h>

#include "shared/delta/format/elements.hpp"
#include "shared/delta/format/float_add.hpp"
#include "shared/delta/format/models.hpp"

namespace hone::delta {

// Of a low-rank operation.
struct LowRank {
  uint32_t rank = 1;      // 1 .. kRankMax
  uint32_t shift = 0;     // 0 .. 31
  uint32_t columns = 1;   // elements of a row
  bool wide = false;      // factors of two bytes rather than one
  bool corrected = false;
};
inline constexpr uint32_t kRankMax = 32;

struct Operation {
  Op op = Op::generic;
  Type type = Type::count;          // residual, intra; lattice and low_rank are f32
  uint64_t bytes = 0;               // of the target
  uint64_t base_offset = 0;         // all but generic, intra, stored
  uint32_t top_exponent = 0;        // residual and intra of floats
  bool by_mantissa = false;         // residual of floats: see ResidualTraits
  uint32_t zero_bits = 0;           // residual and intra of floats: low bits that are zero in every element
  bool by_runs = false;             // residual, lattice, corrections: runs of unchanged elements rather than flags
  int32_t scale = 0;                // lattice, low_rank: s, the step is 2^-s
  LowRank low_rank{};
};

// Whether the factors fit the profile's memory and rows fill the operation.
[[nodiscard]] constexpr bool is_sound(const LowRank& shape, Profile profile, uint64_t elements) {
  if (shape.rank < 1 || shape.rank > kRankMax || shape.shift > 31 || shape.columns < 1) return false;
  const uint64_t factors = (static_cast<uint64_t>(shape.columns) + 1) * shape.rank * (shape.wide ? 2 : 1);
  return factors <= dimensions(profile).factor_bytes && remainder_of(elements, shape.columns) == 0;
}

// Before an operation with values: what is remembered of another kind of them is of no use.
inline void start_values(ValueMemory& memory, Type& remembered, const Operation& operation) {
  const Type kind = has_type(operation.op) ? operation.type : Type::count;
  if (kind != remembered) memory = ValueMemory{};
  remembered = kind;
  memory.run = 0;
}

// What the heads remember.
struct OperationMemory {
  uint32_t last;       // the last operation's kind
  uint64_t base_next;  // where the base would go on
};

// Floats that were rounded to a narrower type, or computed in one, end in zeros.
template <class C>
inline uint32_t code_zero_bits(C& coder, Counter* has_some, const Operation& operation, TypeInfo info) {
  if (!has_type(operation.op) || info.exponent_bits == 0) return 0;
  if (coder.bit(*has_some, operation.zero_bits != 0, kGenericLimit) == 0) return 0;
  const uint32_t most = zero_bits_max(info);
  const uint32_t zero_bits = coder.raw(operation.zero_bits, 6);
  return zero_bits < most ? zero_bits : most;
}

// `base_bytes` and `target_left` bound what is read. False: damaged.
template <Profile kProfile, class C>
inline bool code_operation(C& coder, Counter* counters, OperationMemory& memory, uint64_t base_bytes, uint64_t target_left,
                           Operation& operation) {
  constexpr Layout l = kLayout<kProfile>;
  const uint32_t kind =
      code_tree(coder, counters + l.op_kind + memory.last * 8, 3, static_cast<uint32_t>(operation.op), kGenericLimit);
  if (kind >= static_cast<uint32_t>(Op::count)) return false;
  operation.op = static_cast<Op>(kind);
  memory.last = kind;
  if (has_type(operation.op)) {
    const uint32_t type = code_tree(coder, counters + l.op_type, 4, static_cast<uint32_t>(operation.type), kGenericLimit);
    if (type >= static_cast<uint32_t>(Type::count)) return false;
    operation.type = static_cast<Type>(type);
  } else {
    operation.type = is_on_lattice(operation.op) ? Type::f32 : Type::count;
  }
  const TypeInfo info = info_of(operation.type);
  const uint32_t unit_log2 = has_values(operation.op) ? width_log2_of(info) : 0;
  // The rest of the target is coded as zero, so that a patch of one operation is short.
  const uint64_t count_given = operation.bytes == target_left ? 0 : operation.bytes >> unit_log2;
  const uint64_t count = code_number(coder, counters + l.op_bytes, count_given, kGenericLimit);
  if (count > target_left >> unit_log2) return false;
  operation.bytes = count == 0 ? target_left : count << unit_log2;
  if ((operation.bytes & ((1u << unit_log2) - 1)) != 0 || operation.bytes == 0) return false;
  if (has_base(operation.op)) {
    Counter* nodes = counters + l.op_shift;
    const uint64_t off = operation.base_offset - memory.base_next;
    const bool forward = operation.base_offset >= memory.base_next;
    const uint32_t is_forward = coder.bit(nodes[kNumberCounters], forward, kGenericLimit);
    const uint64_t by = code_number(coder, nodes, forward ? off : ~off + 1, kGenericLimit);
    if (is_forward != 0 ? by > base_bytes || memory.base_next > base_bytes - by : by > memory.base_next) return false;
    operation.base_offset = is_forward != 0 ? memory.base_next + by : memory.base_next - by;
    if (operation.bytes > base_bytes || operation.base_offset > base_bytes - operation.bytes) return false;
    memory.base_next = operation.base_offset + operation.bytes;
  }
  if (has_type(operation.op) && info.exponent_bits != 0)
    operation.top_exponent = coder.raw(operation.top_exponent, info.exponent_bits);
  operation.by_mantissa =
      operation.op == Op::residual && info.exponent_bits != 0 &&
      coder.bit(counters[l.op_type + 16], operation.by_mantissa ? 1u : 0u, kGenericLimit) != 0;
  operation.zero_bits = code_zero_bits(coder, counters + l.op_type + 18, operation, info);
  if (is_on_lattice(operation.op)) {
    operation.scale = static_cast<int32_t>(coder.raw(static_cast<uint32_t>(operation.scale - kScaleMin), 8)) + kScaleMin;
    if (operation.scale > kScaleMax) return false;
  }
  LowRank& shape = operation.low_rank;
  if (operation.op == Op::low_rank) {
    shape.rank = coder.raw(shape.rank - 1, 5) + 1;
    shape.shift = coder.raw(shape.shift, 5);
    shape.columns = static_cast<uint32_t>(code_raw(coder, shape.columns, 24));
    shape.wide = coder.raw(shape.wide ? 1 : 0, 1) != 0;
    shape.corrected = coder.raw(shape.corrected ? 1 : 0, 1) != 0;
    if (!is_sound(shape, kProfile, operation.bytes >> 2)) return false;
  }
  const bool has_runs = operation.op == Op::residual || operation.op == Op::lattice ||
                        (operation.op == Op::low_rank && shape.corrected);
  operation.by_runs = has_runs && coder.bit(counters[l.op_type + 17], operation.by_runs ? 1u : 0u, kGenericLimit) != 0;
  return true;
}

}  // namespace hone::delta
