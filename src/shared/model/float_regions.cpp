#include "shared/model/float_regions.hpp"

#include <algorithm>
#include <array>

namespace hone::model {
namespace {

constexpr std::uint64_t kWordsMin = 16;
constexpr std::uint64_t kZerosMax = 64;  // a longer run of zeros is padding

enum class Word { zero, weight, other };

Word kind_of(const std::uint8_t* bytes) {
  const unsigned exponent = (bytes[3] & 0x7Fu) << 1 | bytes[2] >> 7;
  if (exponent >= 127 - 40 && exponent <= 127 + 15) return Word::weight;
  const bool zero = bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 0 && (bytes[3] & 0x7F) == 0;
  return zero ? Word::zero : Word::other;
}

// A run at one alignment, as it grows.
struct Run {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // after the last weight
  std::uint64_t words = 0;
  std::uint64_t distinct = 0;  // weights whose low bytes are not the word before's
  std::uint32_t low = 0;
};

}  // namespace

std::vector<TensorExtent> find_float_regions(ByteView bytes) {
  std::vector<TensorExtent> regions;
  std::array<Run, 4> runs;
  const auto close = [&](Run& run) {
    // Text passes for small floats now and then; it does not have changing low bytes of all values.
    if (run.words >= kWordsMin && run.distinct * 4 >= run.words * 3) {
      TensorExtent region;
      region.type = ElementType::f32;
      region.offset = run.begin;
      region.bytes = run.end - run.begin;
      regions.push_back(std::move(region));
    }
    run = Run{};
  };
  for (std::uint64_t at = 0; at + 4 <= bytes.size(); ++at) {
    Run& run = runs[at & 3];
    switch (kind_of(&bytes[at])) {
      case Word::weight: {
        if (run.words == 0) run.begin = at;
        const std::uint32_t low = static_cast<std::uint32_t>(bytes[at] | bytes[at + 1] << 8);
        run.distinct += low != run.low;
        run.low = low;
        ++run.words;
        run.end = at + 4;
        break;
      }
      case Word::zero:
        if (run.words > 0 && at - run.end > 4 * kZerosMax) close(run);
        break;
      case Word::other: close(run); break;
    }
  }
  for (Run& run : runs) close(run);
  // Where alignments compete the longer run is the true one.
  std::sort(regions.begin(), regions.end(), [](const auto& a, const auto& b) { return a.bytes > b.bytes || (a.bytes == b.bytes && a.offset < b.offset); });
  std::vector<TensorExtent> sorted;
  for (auto& region : regions) {
    const auto next = std::lower_bound(sorted.begin(), sorted.end(), region.offset, [](const auto& a, std::uint64_t offset) { return a.offset < offset; });
    const bool before = next != sorted.begin() && std::prev(next)->offset + std::prev(next)->bytes > region.offset;
    const bool after = next != sorted.end() && region.offset + region.bytes > next->offset;
    if (!before && !after && sorted.size() < kTensorsMax) sorted.insert(next, std::move(region));
  }
  return sorted;
}

}  // namespace hone::model
