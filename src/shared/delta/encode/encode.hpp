// Makes a patch that rebuilds `target` from `base`, byte for byte. docs/formats/delta.md.
// Host only. Never larger than zstd -19 of the target by more than 0.1% or 256 bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "shared/delta/encode/low_rank_hint.hpp"
#include "shared/delta/format/format.hpp"

namespace hone::delta {

struct EncodeOptions {
  int effort = 5;                              // 1 impatient .. 9 tries everything
  Profile profile = Profile::standard;         // small: decodable in 16 KiB of working memory
  std::vector<LowRankHint> hints{};            // used where they make the patch smaller
  std::function<void(double)> on_progress{};   // 0 to 1, never falling, from the calling thread
  unsigned threads = 2;                        // at most; the patch is the same for any number
  bool in_place = false;                       // the target may take the base's place, block by block
  std::uint8_t block_log2 = 0;                 // of these blocks, 12 to 20; 0: 16 for small, 20 for standard
};

// Both files together at most 2 GiB (invalid).
[[nodiscard]] Result<Bytes> encode(ByteView base, ByteView target, const EncodeOptions& options = {});

}  // namespace hone::delta
