#include "edge/upload/governor.hpp"

#include <chrono>

namespace hone::edge {

std::int64_t day_of(Time now) {
  return std::chrono::floor<std::chrono::days>(now).time_since_epoch().count();
}

DayLedger sent(DayLedger ledger, std::int64_t bytes, Time now) {
  const std::int64_t today = day_of(now);
  if (ledger.day != today) ledger = {today, 0};
  ledger.bytes += bytes;
  return ledger;
}

Permission may_send(wire::Collect collect, std::int64_t daily_bytes, const DayLedger& ledger, std::int64_t bytes,
                    Time now) {
  if (collect == wire::Collect::none) return Permission::never;
  if (daily_bytes <= 0 || ledger.day != day_of(now) || ledger.bytes == 0) return Permission::now;
  return ledger.bytes + bytes <= daily_bytes ? Permission::now : Permission::tomorrow;
}

}  // namespace hone::edge
