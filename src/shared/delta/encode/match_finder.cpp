#include "shared/delta/encode/match_finder.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace hone::delta {
namespace {

constexpr std::uint32_t kHash3Bits = 16;
constexpr std::uint64_t kPassedMax = 8192;  // of a long match, places that become findable

std::uint32_t load32(const std::uint8_t* bytes) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes, 4);
  return value;
}
std::uint32_t hash3(std::uint32_t four) { return ((four & 0xFFFFFFu) * 506832829u) >> (32 - kHash3Bits); }

std::uint32_t common_prefix(const std::uint8_t* a, const std::uint8_t* b, std::uint64_t max) {
  std::uint64_t n = 0;
  while (n + 8 <= max) {
    std::uint64_t x = 0;
    std::uint64_t y = 0;
    std::memcpy(&x, a + n, 8);
    std::memcpy(&y, b + n, 8);
    if (x != y) return static_cast<std::uint32_t>(n + static_cast<std::uint64_t>(std::countr_zero(x ^ y)) / 8);
    n += 8;
  }
  while (n < max && a[n] == b[n]) ++n;
  return static_cast<std::uint32_t>(n);
}

}  // namespace

MatchFinder::MatchFinder(ByteView base, ByteView target, Limits limits, const Reach& reach)
    : base_(base), target_(target), limits_(limits), reach_(reach) {
  const std::uint64_t total = base.size() + target.size();
  hash_bits_ = std::clamp(static_cast<std::uint32_t>(std::bit_width(total)), 12u, 22u);
  heads_.assign(std::size_t{1} << hash_bits_, 0);
  heads3_.assign(std::size_t{1} << kHash3Bits, 0);
  roots_.assign(std::size_t{1} << hash_bits_, 0);
  links_.reserve(base.size());
  // The table is larger than the caches: what is needed soon is fetched ahead.
  constexpr std::uint64_t kAhead = 16;
  for (std::uint64_t place = 0; place + 4 <= base.size(); ++place) {
    if (place + kAhead + 4 <= base.size()) __builtin_prefetch(&heads_[hash4(load32(&base[place + kAhead]))], 1);
    chain(place, load32(&base[place]));
  }
}

const std::uint8_t* MatchFinder::bytes_at(std::uint64_t place, std::uint64_t& left) const {
  if (place < base_.size()) {
    left = base_.size() - place;
    return base_.data() + place;
  }
  left = target_.size() - (place - base_.size());
  return target_.data() + (place - base_.size());
}

void MatchFinder::chain(std::uint64_t place, std::uint32_t four) {
  std::uint32_t& head = heads_[hash4(four)];
  links_.push_back({static_cast<std::uint32_t>(place), head});
  head = static_cast<std::uint32_t>(links_.size());
  heads3_[hash3(four)] = static_cast<std::uint32_t>(place + 1);
}

void MatchFinder::pass_tensor(std::uint64_t at) {
  // Elements are copied whole: every fourth place finds them.
  for (; known_ < at; known_ += 4)
    if (target_.size() - known_ >= 4) chain(base_.size() + known_, load32(&target_[known_]));
  known_ = at;
}

void MatchFinder::pass_generic(std::uint64_t at) {
  if (at - known_ > kPassedMax) known_ = at - kPassedMax;
  while (known_ < at) grow_tree(known_, [](std::uint32_t, std::uint32_t) { return true; });
}

// Puts place `at` at the root of its tree and tells `emit` of each place on the way down: its length
// in common and the place.
template <class Emit>
void MatchFinder::grow_tree(std::uint64_t at, Emit&& emit) {
  ++known_;
  const auto limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(limits_.nice_length, target_.size() - at));
  if (limit < 4) return;
  const std::uint8_t* here = target_.data() + at;
  const std::uint32_t four = load32(here);
  heads3_[hash3(four)] = static_cast<std::uint32_t>(base_.size() + at + 1);
  std::uint32_t& root = roots_[hash4(four)];
  std::uint32_t next = root;
  nodes_.push_back({static_cast<std::uint32_t>(at), 0, 0});
  root = static_cast<std::uint32_t>(nodes_.size());
  std::uint32_t* smaller = &nodes_.back().smaller;
  std::uint32_t* larger = &nodes_.back().larger;
  std::uint32_t agree_smaller = 0;
  std::uint32_t agree_larger = 0;
  for (std::uint32_t tries = limits_.depth; next != 0 && tries > 0; --tries) {
    Node& node = nodes_[next - 1];
    const std::uint8_t* there = target_.data() + node.at;
    std::uint32_t length = std::min(agree_smaller, agree_larger);
    length += common_prefix(there + length, here + length, limit - length);
    emit(length, node.at);
    if (length == limit) {
      *smaller = node.smaller;
      *larger = node.larger;
      return;
    }
    if (there[length] < here[length]) {
      *smaller = next;
      smaller = &node.larger;
      next = node.larger;
      agree_smaller = length;
    } else {
      *larger = next;
      larger = &node.smaller;
      next = node.smaller;
      agree_larger = length;
    }
  }
  *smaller = 0;
  *larger = 0;
}

std::uint32_t MatchFinder::agree(std::uint64_t at, std::uint64_t distance, std::uint32_t length_max) const {
  const std::uint64_t here = base_.size() + at;
  if (distance == 0 || distance > here) return 0;
  const std::uint64_t there = here - distance;
  std::uint64_t left = 0;
  const std::uint8_t* bytes = bytes_at(there, left);
  if (there >= base_.size()) left = length_max;  // may run into itself
  else left = reach_.reachable(there, at, left);
  return common_prefix(bytes, target_.data() + at, std::min<std::uint64_t>(left, length_max));
}

void MatchFinder::find(std::uint64_t at, std::uint32_t length_max, std::vector<Found>& found) {
  found.clear();
  if (known_ < at) pass_generic(at);
  if (target_.size() - at < 4) return;
  const std::uint64_t here = base_.size() + at;
  const std::uint32_t four = load32(target_.data() + at);
  length_max = std::min(length_max, limits_.nice_length);
  std::uint32_t best = 2;
  const auto offer = [&](std::uint32_t length, std::uint64_t place) {
    if (length > length_max) length = length_max;
    if (length <= best) return;
    best = length;
    found.push_back({length, static_cast<std::uint32_t>(here - place)});
  };
  if (const std::uint32_t near = heads3_[hash3(four)]; near != 0 && here - (near - 1) < (1u << 16))
    offer(agree(at, here - (near - 1), length_max), near - 1);
  if (known_ == at) grow_tree(at, [&](std::uint32_t length, std::uint32_t from) { offer(length, base_.size() + from); });
  std::uint32_t link = heads_[hash4(four)];
  for (std::uint32_t tries = limits_.depth; link != 0 && tries > 0 && best < length_max; --tries) {
    const std::uint64_t place = links_[link - 1].place;
    offer(agree(at, here - place, length_max), place);
    link = links_[link - 1].before;
  }
}

bool MatchFinder::knows(std::uint64_t at, std::uint32_t count) const {
  // Tensors are known at every fourth place.
  for (const std::uint64_t end = at + 4; at < end && count >= 4 && at < target_.size() && count <= target_.size() - at; ++at) {
    const std::uint8_t* here = target_.data() + at;
    const std::uint32_t hash = hash4(load32(here));
    std::uint32_t link = heads_[hash];
    for (std::uint32_t tries = limits_.depth; link != 0 && tries > 0; --tries) {
      if (agree(at, base_.size() + at - links_[link - 1].place, count) >= count) return true;
      link = links_[link - 1].before;
    }
    std::uint32_t next = roots_[hash];
    for (std::uint32_t tries = limits_.depth; next != 0 && tries > 0; --tries) {
      const Node& node = nodes_[next - 1];
      const std::uint8_t* there = target_.data() + node.at;
      const std::uint32_t length = common_prefix(there, here, count);
      if (length == count) return true;
      next = there[length] < here[length] ? node.larger : node.smaller;
    }
  }
  return false;
}

}  // namespace hone::delta
