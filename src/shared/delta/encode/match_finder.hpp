// Finds earlier places with the same bytes, in the base followed by the target. Places of the base
// count from zero, those of the target go on after it. What was coded as plain bytes is kept in a
// binary tree (as in LZMA's bt4: every length at its nearest place), the base and the tensors, which
// are large and seldom worth a short match, in hash chains. A table knows the last place of each
// three bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "shared/delta/format/reach.hpp"

namespace hone::delta {

class MatchFinder {
 public:
  struct Limits {
    std::uint32_t depth;        // candidates looked at, in tree and chain
    std::uint32_t nice_length;  // lengths are not compared beyond this, at most 65535
  };
  // Both must outlive the finder; together less than 4 GiB. Memory: four bytes a byte of base and of
  // tensors in the target, 12 a byte of the rest.
  MatchFinder(ByteView base, ByteView target, Limits limits, const Reach& reach = {});

  struct Found {
    std::uint32_t length;
    std::uint32_t distance;
  };
  // Ever longer matches for the bytes at target place `at`, none longer than `length_max` and the
  // nice length; of two with one length the nearer. Places are asked for in order; those left out
  // become findable too, the last few thousand of them.
  void find(std::uint64_t at, std::uint32_t length_max, std::vector<Found>& found);
  // The target's bytes before `at` not yet known are a tensor's.
  void pass_tensor(std::uint64_t at);
  // How far the bytes at `at` agree with those `distance` before, and may be taken from there.
  [[nodiscard]] std::uint32_t agree(std::uint64_t at, std::uint64_t distance, std::uint32_t length_max) const;
  // Whether `count` bytes at `at`, which may lie ahead, stand in what is known.
  [[nodiscard]] bool knows(std::uint64_t at, std::uint32_t count) const;
  [[nodiscard]] const Reach& reach() const { return reach_; }

 private:
  void chain(std::uint64_t place, std::uint32_t four);
  [[nodiscard]] std::uint32_t hash4(std::uint32_t four) const { return (four * 2654435761u) >> (32 - hash_bits_); }
  void pass_generic(std::uint64_t at);
  template <class Emit>
  void grow_tree(std::uint64_t at, Emit&& emit);
  [[nodiscard]] const std::uint8_t* bytes_at(std::uint64_t place, std::uint64_t& left) const;

  ByteView base_;
  ByteView target_;
  Limits limits_;
  Reach reach_;
  std::uint32_t hash_bits_;
  std::vector<std::uint32_t> heads_;  // place + 1, 0 none
  std::vector<std::uint32_t> heads3_;
  struct Link {
    std::uint32_t place;
    std::uint32_t before;  // a link of the same hash, + 1
  };
  std::vector<Link> links_;
  struct Node {
    std::uint32_t at;  // in the target
    std::uint32_t smaller;
    std::uint32_t larger;  // nodes + 1, 0 none
  };
  std::vector<std::uint32_t> roots_;
  std::vector<Node> nodes_;
  std::uint64_t known_ = 0;  // bytes of the target
};

}  // namespace hone::delta
