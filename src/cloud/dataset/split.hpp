// To which part of the data a row belongs, for good: training, or the holdout that no training sees.
// A pure function of the row, so that a duplicate lands where the original did and cannot leak.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace hone::cloud {

enum class Part : std::uint8_t { training, holdout };

[[nodiscard]] constexpr std::string_view name_of(Part part) {
  return part == Part::training ? "training" : "holdout";
}

// How rows are told apart. Streams of overlapping windows will need a rule by device and time
// block; it reads `device` and `t_ms`, which is why they stand here.
enum class SplitBy : std::uint8_t { content };

struct SplitRule {
  SplitBy by = SplitBy::content;
  double holdout = 0.1;  // fraction, 0 to 1
};

struct Row {
  ByteView x;  // one sample's raw bytes
  std::string_view device;
  std::int64_t t_ms = 0;  // when it was observed
};

// content: the top 53 bits of SHA-256("hone.holdout.1\n" + x), as a fraction of 2^53, below `holdout`.
[[nodiscard]] Part part_of(const SplitRule& rule, const Row& row);

}  // namespace hone::cloud
