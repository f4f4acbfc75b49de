// A stream of readings, from which a device cuts the windows that are its pipeline's samples; and the blocks of time
// by which windows are split, because windows that overlap must not stand on two sides of a split.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/hash.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "shared/wire/signal.hpp"

namespace hone::wire {

struct Stream {
  std::int64_t window = 0;  // readings in a window
  std::int64_t stride = 0;  // readings from the beginning of a window to the beginning of the next
  double rate_hz = 0;       // readings a second

  friend bool operator==(const Stream&, const Stream&) = default;
};

// `signal` is that of the windows: [channels, window], or [window] for one channel.
[[nodiscard]] Result<> check(const Stream& stream, const Signal& signal);

[[nodiscard]] inline std::int64_t channels_of(const Stream& stream, const Signal& signal) {
  return static_cast<std::int64_t>(signal.elements()) / stream.window;
}

[[nodiscard]] Json to_json(const Stream& stream);
[[nodiscard]] Result<Stream> stream_from(const Json& json);

// ---- blocks of time ---------------------------------------------------------------------------

struct TimeBlocks {
  // A window's time is that of its last reading; its first one is at most this much older. Twice the window's length:
  // devices let go of windows that took longer, which hold a gap.
  std::int64_t reach_ms = 0;
  std::int64_t block_ms = 0;

  friend bool operator==(const TimeBlocks&, const TimeBlocks&) = default;
};

[[nodiscard]] TimeBlocks time_blocks(const Stream& stream);

// Which block of its device's time the window that ends at `t_ms` lies in: t_ms / block_ms, rounded down.
[[nodiscard]] std::int64_t block_number(const TimeBlocks& blocks, std::int64_t t_ms);

// The top 53 bits as a fraction of 2^53, from 0 to below 1: exact, and so compared alike on every machine.
[[nodiscard]] double fraction_of(const Sha256& hash);

// Whether the window of `device` that ends at `t_ms` belongs to the share (0 to 1) of all blocks that is set apart for
// `purpose`. nullopt: it may have begun in the block before, which is on the other side, so it belongs to neither.
// A pure function: the answer for a window never changes, whatever comes later.
//
// A block's hash is SHA-256(purpose + "\n" + device + "\n" + its number in decimal). Chance alone would leave a young
// device without any block apart, so every ten blocks (10 i to 10 i + 9) draw lots among themselves, each half of them in
// turn (stratified sampling): a block is set apart when (2 r + s + f) / 10 lies below `share`, where r of the five hashes
// of its half are less than its own, s is 0 in the half that has the least hash of the ten and else 1, and f is
// fraction_of its own hash from the ninth byte on. A greater share only adds blocks.
[[nodiscard]] std::optional<bool> set_apart(const TimeBlocks& blocks, std::string_view purpose, std::string_view device,
                                            std::int64_t t_ms, double share);

}  // namespace hone::wire
