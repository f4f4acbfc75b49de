// Reads Python pickles (protocols 2 to 5, PEP 307 and 574) as far as PyTorch writes them, to learn
// which tensors stand in which storages. A reader and not a machine: nothing is called, imported or
// built; what looks like a call is kept as a note of its name. An unknown opcode ends the reading.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "shared/model/tensors.hpp"

namespace hone::model {

struct PickledTensor {
  std::string name;     // its key in the innermost dictionary; may be empty
  std::string storage;  // the storage's key
  ElementType type = ElementType::other;
  std::uint64_t offset = 0;  // in elements of the storage
  std::vector<std::int64_t> shape;
  bool is_contiguous = true;
};

struct Pickle {
  std::vector<PickledTensor> tensors;
  std::vector<std::string> strings;  // when the pickle is a list of strings, that
  std::uint64_t bytes = 0;           // up to and with the last opcode
};

// The pickle at the beginning of `bytes`; nothing when it is none or holds what is not known.
// Bounded: time and memory linear in the bytes, nothing recursive.
[[nodiscard]] std::optional<Pickle> read_pickle(ByteView bytes);

}  // namespace hone::model
