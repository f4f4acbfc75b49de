// apply() that also says which operations it met.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "shared/delta/apply.hpp"
#include "shared/delta/format/operations.hpp"

namespace hone::delta {

struct TracedOperation {
  Operation operation;
  std::uint64_t target_offset;
  std::uint64_t patch_offset;  // how much of the patch had been read when its head was met
};

// `trace` may be null.
[[nodiscard]] Result<> traced_apply(ByteView base, ByteView patch, std::uint64_t target_bytes_max, TargetSink& target,
                                    std::vector<TracedOperation>* trace);
[[nodiscard]] Result<Bytes> traced_apply(ByteView base, ByteView patch, std::uint64_t target_bytes_max,
                                         std::vector<TracedOperation>* trace);

}  // namespace hone::delta
