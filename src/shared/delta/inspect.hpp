// Explains a patch: what it was made from, and how each part of the target is coded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "shared/delta/format/format.hpp"

namespace hone::delta {

struct InspectedPart {
  std::string name;   // the tensor's; empty for what is none
  std::string dtype;  // "f32"; empty for bytes
  std::string mode;   // "generic", "copy", "residual", "intra", "stored"
  std::uint64_t offset = 0;  // in the target
  std::uint64_t target_bytes = 0;
  std::uint64_t elements = 0;  // target_bytes for bytes
  double patch_bytes = 0;      // to about a byte
};

struct Inspection {
  Header header;
  std::vector<InspectedPart> parts;  // empty without the base
};

// The header needs the patch alone. The parts stand in the coded stream, whose contexts are the
// base's values, so they need `base` too, and cost a decoding. Errors as in apply().
[[nodiscard]] Result<Inspection> inspect(ByteView patch, const Bytes* base);

}  // namespace hone::delta
