// What of the base a patch may read. In place, the base was moved up by `shift` bytes and the target
// takes its place block by block: while a target byte of block b is made, what lies before the start of
// block b is overwritten. docs/formats/delta.md, "In place".
#pragma once

#include <stdint.h>

#include "shared/delta/format/format.hpp"

namespace hone::delta {

struct Reach {
  uint64_t block_bytes = 0;  // 0: a new file, everything can be read
  uint64_t shift_bytes = 0;
  uint64_t base_bytes = 0;

  // How many of `count` target bytes from `target` can be made from the base's bytes from `base`. In a
  // row: once the place in the base is ahead of the place in the target it stays so; behind, it lasts
  // until the next block begins.
  [[nodiscard]] uint64_t reachable(uint64_t base, uint64_t target, uint64_t count) const {
    if (block_bytes == 0 || base + shift_bytes >= target) return count;
    const uint64_t in_block = target & (block_bytes - 1);
    if (base + shift_bytes < target - in_block) return 0;
    const uint64_t left = block_bytes - in_block;
    return count < left ? count : left;
  }
  // For what may run on from the base into the target.
  [[nodiscard]] bool reaches(uint64_t base, uint64_t target, uint64_t count) const {
    const uint64_t in_base = base < base_bytes ? base_bytes - base : 0;
    if (count > in_base) count = in_base;
    return reachable(base, target, count) == count;
  }
};
[[nodiscard]] inline Reach reach_of(const Header& header) {
  return {header.block_bytes(), header.shift_bytes(), header.base_bytes};
}

}  // namespace hone::delta
