#include "shared/delta/encode/match_finder.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace hone::delta {
namespace {

constexpr std::uint32_t kHash3Bits = 16;

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

MatchFinder::MatchFinder(ByteView base, ByteView target, std::uint32_t depth, const Reach& reach)
    : base_(base), target_(target), depth_(depth), reach_(reach) {
  const std::uint64_t total = base.size() + target.size();
  hash_bits_ = std::clamp(static_cast<std::uint32_t>(std::bit_width(total)), 12u, 22u);
  heads_.assign(std::size_t{1} << hash_bits_, 0);
  heads3_.assign(std::size_t{1} << kHash3Bits, 0);
  chain_.assign(total, 0);
}

const std::uint8_t* MatchFinder::bytes_at(std::uint64_t place, std::uint64_t& left) const {
  if (place < base_.size()) {
    left = base_.size() - place;
    return base_.data() + place;
  }
  left = target_.size() - (place - base_.size());
  return target_.data() + (place - base_.size());
}

void MatchFinder::insert_up_to(std::uint64_t place) {
  for (; inserted_ < place; ++inserted_) {
    std::uint64_t left = 0;
    const std::uint8_t* bytes = bytes_at(inserted_, left);
    if (left < 4) continue;
    const std::uint32_t four = load32(bytes);
    std::uint32_t& head = heads_[(four * 2654435761u) >> (32 - hash_bits_)];
    chain_[inserted_] = head;
    head = static_cast<std::uint32_t>(inserted_ + 1);
    heads3_[hash3(four)] = static_cast<std::uint32_t>(inserted_ + 1);
  }
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
  const std::uint64_t here = base_.size() + at;
  insert_up_to(here);
  if (length_max < 3 || target_.size() - at < 4) return;
  const std::uint32_t four = load32(target_.data() + at);
  std::uint32_t best = 2;
  const auto try_place = [&](std::uint32_t place_plus_one) {
    const auto distance = static_cast<std::uint32_t>(here - (place_plus_one - 1));
    const std::uint32_t length = agree(at, distance, length_max);
    if (length > best) {
      best = length;
      found.push_back({length, distance});
    }
    return length;
  };
  if (const std::uint32_t near = heads3_[hash3(four)]; near != 0 && here - (near - 1) < (1u << 16)) try_place(near);
  std::uint32_t place = heads_[(four * 2654435761u) >> (32 - hash_bits_)];
  for (std::uint32_t tries = depth_; place != 0 && tries > 0; --tries, place = chain_[place - 1]) {
    if (try_place(place) >= length_max) break;
  }
}

}  // namespace hone::delta
