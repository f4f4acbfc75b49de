// To which part of the data a row belongs, for good: training, or the holdout that no training sees.
// A pure function of the row, so that a duplicate lands where the original did and cannot leak.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "shared/wire/stream.hpp"

namespace hone::cloud {

enum class Part : std::uint8_t { training, holdout };

[[nodiscard]] constexpr std::string_view name_of(Part part) {
  return part == Part::training ? "training" : "holdout";
}

struct SplitRule {
  double holdout = 0.1;  // fraction, 0 to 1
  // Of a stream whose windows may overlap: whole blocks of a device's time are held out, and windows that reach over
  // a border between two sides belong to neither. Without: each row by its content.
  std::optional<wire::TimeBlocks> blocks;
};

struct Row {
  ByteView x;  // one sample's raw bytes
  std::string_view device;
  std::int64_t t_ms = 0;  // when it was observed
};

// By content: fraction_of(SHA-256("hone.holdout.1\n" + x)) below `holdout`. By blocks: wire::set_apart with the purpose
// "hone.holdout.block.1"; nullopt: on neither side.
[[nodiscard]] std::optional<Part> part_of(const SplitRule& rule, const Row& row);

}  // namespace hone::cloud
