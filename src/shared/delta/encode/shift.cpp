#include "shared/delta/encode/shift.hpp"

#include <algorithm>
#include <map>

#include "shared/delta/encode/match_finder.hpp"

namespace hone::delta {
namespace {

constexpr std::uint64_t kProbes = 4096;
constexpr std::uint32_t kProbeBytes = 48;

// The smallest shift with which target bytes at `target` can be made from base bytes at `base`.
std::uint32_t shift_needed(std::uint64_t base, std::uint64_t target, std::uint64_t count, std::uint8_t block_log2) {
  const std::uint64_t start = target >> block_log2 << block_log2;
  const bool one_block = target + count <= start + (std::uint64_t{1} << block_log2);
  const std::uint64_t from = one_block ? start : target;
  const std::uint64_t behind = from > base ? from - base : 0;
  return static_cast<std::uint32_t>((behind + (std::uint64_t{1} << block_log2) - 1) >> block_log2);
}

}  // namespace

std::vector<std::uint32_t> shifts_worth_trying(ByteView base, ByteView target, const std::vector<Segment>& segments,
                                               std::uint8_t block_log2) {
  std::map<std::uint32_t, std::uint64_t> wanted;  // by shift, the target's bytes that need it
  std::uint64_t total = 0;
  const auto want = [&](std::uint64_t from, std::uint64_t at, std::uint64_t count) {
    wanted[shift_needed(from, at, count, block_log2)] += count;
    total += count;
  };
  // What is not paired with a tensor of the base: where the base has the same bytes is sampled.
  MatchFinder finder(base, target, {16, kProbeBytes});
  std::vector<MatchFinder::Found> found;
  const std::uint64_t stride = std::max<std::uint64_t>(target.size() / kProbes, kProbeBytes);
  for (const Segment& segment : segments) {
    if (segment.has_base) {
      want(segment.base_offset, segment.offset, segment.bytes);
      continue;
    }
    for (std::uint64_t at = segment.offset; at + kProbeBytes <= segment.offset + segment.bytes; at += stride) {
      finder.find(at, kProbeBytes, found);
      if (found.empty() || found.back().length < kProbeBytes / 2) continue;
      const std::uint64_t place = base.size() + at - found.back().distance;
      if (place >= base.size()) continue;  // in the target itself
      const std::uint64_t count = std::min(stride, segment.offset + segment.bytes - at);
      want(place, at, count);
    }
  }
  // The shifts that suffice for most and for nearly all of it.
  const auto base_blocks = static_cast<std::uint32_t>((base.size() + (std::uint64_t{1} << block_log2) - 1) >> block_log2);
  std::vector<std::uint32_t> shifts;
  for (const std::uint64_t percent : {80u, 99u}) {
    std::uint64_t reached = 0;
    for (const auto& [shift, bytes] : wanted) {
      reached += bytes;
      if (reached * 100 < total * percent) continue;
      const std::uint32_t bounded = std::min(shift, base_blocks);
      if (bounded > 0 && (shifts.empty() || shifts.back() != bounded)) shifts.push_back(bounded);
      break;
    }
  }
  return shifts;
}

}  // namespace hone::delta
