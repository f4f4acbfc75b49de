// Which part of the target is coded how: the list of operations, before their costs are weighed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "shared/delta/format/elements.hpp"

namespace hone::delta {

struct Segment {
  std::uint64_t offset = 0;  // in the target
  std::uint64_t bytes = 0;
  bool is_tensor = false;
  Type type = Type::count;
  bool has_base = false;  // a tensor of the base that it resembles
  std::uint64_t base_offset = 0;
  std::string name;
};

// Covers the target without gaps, in order. Tensors that the base has unchanged are left to the
// generic coder, whose long matches join them with what lies between.
[[nodiscard]] std::vector<Segment> plan_segments(ByteView base, ByteView target, unsigned threads = 1);

}  // namespace hone::delta
