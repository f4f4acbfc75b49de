#include "shared/wire/stream.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "shared/wire/fields.hpp"

namespace hone::wire {
namespace {

constexpr std::int64_t kReadingsMax = std::int64_t{16} << 20;
constexpr double kRateMin = 1e-6, kRateMax = 1e9;
constexpr double kReachWindows = 2;        // lengths of a window
constexpr std::int64_t kBlockReaches = 16;  // what is lost at a border between two sides is 1/16 of a block
constexpr std::int64_t kGroupBlocks = 10, kHalfBlocks = 5;

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

Sha256 hash_of(std::string_view purpose, std::string_view device, std::int64_t block) {
  Sha256Stream stream;
  for (const std::string_view part : {purpose, std::string_view("\n"), device, std::string_view("\n")})
    stream.update(as_bytes(part));
  stream.update(as_bytes(std::to_string(block)));
  return stream.finish();
}

// The top 53 bits of eight bytes from `first`, as a fraction of 2^53.
double fraction_at(const Sha256& hash, std::size_t first) {
  std::uint64_t top = 0;
  for (std::size_t i = 0; i < 8; ++i) top = top << 8 | hash.bytes[first + i];
  return std::ldexp(static_cast<double>(top >> 11), -53);
}

bool block_apart(std::string_view purpose, std::string_view device, std::int64_t block, double share) {
  const auto hashes_from = [&](std::int64_t first) {
    std::array<Sha256, kHalfBlocks> hashes;
    for (std::int64_t i = 0; i < kHalfBlocks; ++i) hashes[static_cast<std::size_t>(i)] = hash_of(purpose, device, first + i);
    return hashes;
  };
  const std::int64_t half = floor_divide(block, kHalfBlocks) * kHalfBlocks;
  const bool is_first_half = floor_divide(block, kGroupBlocks) * kGroupBlocks == half;
  const auto own_half = hashes_from(half), other_half = hashes_from(is_first_half ? half + kHalfBlocks : half - kHalfBlocks);
  const Sha256& own = own_half[static_cast<std::size_t>(block - half)];
  const auto rank = std::ranges::count_if(own_half, [&](const Sha256& hash) { return hash < own; });
  const int second = std::ranges::min(other_half) < std::ranges::min(own_half) ? 1 : 0;
  return (static_cast<double>(2 * rank + second) + fraction_at(own, 8)) / static_cast<double>(kGroupBlocks) < share;
}

}  // namespace

Result<> check(const Stream& stream, const Signal& signal) {
  if (stream.window < 1 || stream.stride < 1 || stream.window > kReadingsMax || stream.stride > kReadingsMax)
    return fail(Code::invalid, "the window and the stride must be 1 to 16777216 readings");
  if (!(stream.rate_hz >= kRateMin && stream.rate_hz <= kRateMax))
    return fail(Code::invalid, "the rate must be 0.000001 to 1000000000 readings a second");
  if (signal.shape.size() > 2 || signal.shape.empty() || signal.shape.back() != stream.window)
    return fail(Code::invalid, "a window of a stream has the shape [channels, window], or [window] for one channel");
  return {};
}

Json to_json(const Stream& stream) {
  return {{"window", stream.window}, {"stride", stream.stride}, {"rate_hz", stream.rate_hz}};
}

Result<Stream> stream_from(const Json& json) {
  Stream stream;
  Fields fields("stream", json);
  fields.integer("window", stream.window, 1, kReadingsMax);
  fields.integer("stride", stream.stride, 1, kReadingsMax);
  fields.number("rate_hz", stream.rate_hz, kRateMin, kRateMax);
  return fields.finish(stream);
}

double fraction_of(const Sha256& hash) {
  return fraction_at(hash, 0);
}

TimeBlocks time_blocks(const Stream& stream) {
  const double length_ms = static_cast<double>(stream.window) / stream.rate_hz * 1000;
  TimeBlocks blocks;
  blocks.reach_ms = std::max<std::int64_t>(1, std::llround(std::ceil(kReachWindows * length_ms)));
  blocks.block_ms = kBlockReaches * blocks.reach_ms;
  return blocks;
}

std::int64_t block_number(const TimeBlocks& blocks, std::int64_t t_ms) {
  return floor_divide(t_ms, blocks.block_ms);
}

std::optional<bool> set_apart(const TimeBlocks& blocks, std::string_view purpose, std::string_view device,
                              std::int64_t t_ms, double share) {
  const std::int64_t block = block_number(blocks, t_ms), first = block_number(blocks, t_ms - blocks.reach_ms);
  const bool apart = block_apart(purpose, device, block, share);
  if (first != block && block_apart(purpose, device, first, share) != apart) return std::nullopt;
  return apart;
}

}  // namespace hone::wire
