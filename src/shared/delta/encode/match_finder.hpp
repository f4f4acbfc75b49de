// Finds earlier places with the same bytes, in the base followed by the target: hash chains on four
// bytes, and a table on the last place of each three bytes. Places of the base count from zero,
// those of the target go on after it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "shared/delta/format/reach.hpp"

namespace hone::delta {

class MatchFinder {
 public:
  // Both must outlive the finder; together less than 4 GiB.
  MatchFinder(ByteView base, ByteView target, std::uint32_t depth, const Reach& reach = {});

  struct Found {
    std::uint32_t length;
    std::uint32_t distance;
  };
  // Ever longer matches for the bytes at target place `at`, nearest first, none longer than
  // `length_max`. Everything before `at` becomes findable.
  void find(std::uint64_t at, std::uint32_t length_max, std::vector<Found>& found);
  // How far the bytes at `at` agree with those `distance` before, and may be taken from there.
  [[nodiscard]] std::uint32_t agree(std::uint64_t at, std::uint64_t distance, std::uint32_t length_max) const;
  [[nodiscard]] const Reach& reach() const { return reach_; }

 private:
  void insert_up_to(std::uint64_t place);
  [[nodiscard]] const std::uint8_t* bytes_at(std::uint64_t place, std::uint64_t& left) const;

  ByteView base_;
  ByteView target_;
  std::uint32_t depth_;
  Reach reach_;
  std::uint32_t hash_bits_;
  std::vector<std::uint32_t> heads_;   // place + 1, 0 none
  std::vector<std::uint32_t> heads3_;
  std::vector<std::uint32_t> chain_;   // the place before with the same hash, + 1
  std::uint64_t inserted_ = 0;
};

}  // namespace hone::delta
