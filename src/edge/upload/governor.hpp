// Decides whether a batch may leave the device: pure, over the offer's words and what was sent today.
#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "shared/wire/messages.hpp"

namespace hone::edge {

// What was sent on one UTC day.
struct DayLedger {
  std::int64_t day = 0;  // days since the epoch
  std::int64_t bytes = 0;
};

[[nodiscard]] std::int64_t day_of(Time now);
[[nodiscard]] DayLedger sent(DayLedger ledger, std::int64_t bytes, Time now);

enum class Permission : std::uint8_t { now, tomorrow, never };

// tomorrow: the daily bound is used up; a first batch of a day may always go, so that a bound below
// one batch slows a device down and does not silence it.
[[nodiscard]] Permission may_send(wire::Collect collect, std::int64_t daily_bytes, const DayLedger& ledger,
                                  std::int64_t bytes, Time now);

}  // namespace hone::edge
