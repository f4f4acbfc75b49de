// Coding of an operation's head.
#pragma once

#include <stdint.h>

#include "shared/delta/format/elements.hpp"
#include "shared/delta/format/models.hpp"

namespace hone::delta {

struct Operation {
  Op op = Op::generic;
  Type type = Type::count;          // residual, intra
  uint64_t bytes = 0;               // of the target
  uint64_t base_offset = 0;         // copy, residual
  uint32_t top_exponent = 0;        // residual and intra of floats
  bool by_mantissa = false;         // residual of floats: see ResidualTraits
  bool by_runs = false;             // residual: runs of unchanged elements rather than a flag for each
};

// What the heads remember.
struct OperationMemory {
  uint32_t last;       // the last operation's kind
  uint64_t base_next;  // where the base would go on
};

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
  const bool values = operation.op == Op::residual || operation.op == Op::intra;
  if (values) {
    const uint32_t type = code_tree(coder, counters + l.op_type, 4, static_cast<uint32_t>(operation.type), kGenericLimit);
    if (type >= static_cast<uint32_t>(Type::count)) return false;
    operation.type = static_cast<Type>(type);
  }
  const TypeInfo info = info_of(operation.type);
  const uint64_t unit = values ? info.width : 1;
  // The rest of the target is coded as zero, so that a patch of one operation is short.
  const uint64_t count_given = operation.bytes == target_left ? 0 : operation.bytes / unit;
  const uint64_t count = code_number(coder, counters + l.op_bytes, count_given, kGenericLimit);
  if (count > target_left / unit) return false;
  operation.bytes = count == 0 ? target_left : count * unit;
  if (operation.bytes % unit != 0 || operation.bytes == 0) return false;
  if (operation.op == Op::copy || operation.op == Op::residual) {
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
  if (values && info.exponent_bits != 0) operation.top_exponent = coder.raw(operation.top_exponent, info.exponent_bits);
  operation.by_mantissa =
      operation.op == Op::residual && info.exponent_bits != 0 &&
      coder.bit(counters[l.op_type + 16], operation.by_mantissa ? 1u : 0u, kGenericLimit) != 0;
  operation.by_runs =
      operation.op == Op::residual && coder.bit(counters[l.op_type + 17], operation.by_runs ? 1u : 0u, kGenericLimit) != 0;
  return true;
}

}  // namespace hone::delta
