// Reads bytes of unknown meaning: which of them are numbers, of which type, and where in the base
// their earlier values stand. For containers that no parser knows (bundles, GGUF, firmware images,
// optimiser states) and for what lies between the tensors of those that one does.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "shared/delta/format/format.hpp"

namespace hone::delta {

struct Reading {
  std::uint64_t offset = 0;  // in the target
  std::uint64_t bytes = 0;   // whole elements
  Type type = Type::count;
  bool has_base = false;
  std::uint64_t base_offset = 0;
};

// What is thought to be where: [offset, offset + bytes) of the target probably stands `shift` further
// on in the base (modulo 2^64).
struct Suggestion {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t shift = 0;
};

class NumberReader {
 public:
  explicit NumberReader(ByteView base);  // which must outlive the reader

  // Stretches of target[from, to) that are worth coding as numbers, by offset, not overlapping.
  // Costs are estimated (entropies of the differences' bit lengths), against an estimate of what
  // matches and literals would cost. Places in the base come from `suggestions`, from exact
  // agreement of a few bytes, and from what lies before. Time is linear in the bytes.
  [[nodiscard]] std::vector<Reading> read(ByteView target, std::uint64_t from, std::uint64_t to,
                                          const std::vector<Suggestion>& suggestions) const;

 private:
  [[nodiscard]] std::vector<std::uint64_t> shifts_by_agreement(ByteView target, std::uint64_t from, std::uint64_t to) const;

  ByteView base_;
  std::vector<std::uint32_t> places_;  // by hash of a few bytes: a place in the base plus one
};

// About how many bits `part` costs as matches and literals behind `before`: what zstd makes of it at a
// level, less what our coder saves beside it.
inline constexpr int kQuickLevel = 3;
inline constexpr int kCloseLevel = 15;
[[nodiscard]] double generic_bits(ByteView before, ByteView part, int zstd_level);

}  // namespace hone::delta
