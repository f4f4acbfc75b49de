// The encoder's mirror of the decoder's memory.
#pragma once

#include <cstdint>
#include <vector>

#include "shared/delta/format/generic.hpp"
#include "shared/delta/format/models.hpp"
#include "shared/delta/format/operations.hpp"

namespace hone::delta {

struct EncoderState {
  explicit EncoderState(Profile p, std::uint64_t base_bytes)
      : profile(p),
        counters(p == Profile::small ? kLayout<Profile::small>.total : kLayout<Profile::standard>.total, kEvenCounter) {
    for (auto& distance : generic.rep) distance = base_bytes == 0 ? 1 : base_bytes;
  }

  Profile profile;
  std::vector<Counter> counters;
  OperationMemory heads{};
  ValueMemory values{};
  Type values_type = Type::count;
  GenericMemory generic{};
};

}  // namespace hone::delta
