#include <utility>

#include "cloud/store/sqlite/columns.hpp"
#include "cloud/store/sqlite/stores.hpp"

namespace hone::cloud::sqlite {
namespace {

constexpr const char* kKinds[] = {"confirmed", "reverted", "refused"};

#define HONE_OUTCOME_COLUMNS \
  "device, release, kind, at_ms, live_ms, by_delta, fetched_bytes, inferences, errors, reason"

Result<OutcomeRow> outcome_at(const Rows& rows) {
  OutcomeRow row;
  row.device = DeviceId(rows.text(0));
  row.outcome.release = {static_cast<std::uint64_t>(rows.integer(1))};
  const std::string kind = rows.text(2);
  std::size_t i = 0;
  while (i < std::size(kKinds) && kind != kKinds[i]) ++i;
  if (i == std::size(kKinds)) return fail(Code::damaged, "database: an outcome is of the kind '" + kind + "'");
  row.outcome.kind = static_cast<wire::OutcomeKind>(i);
  row.at = time_at(rows, 3);
  row.outcome.live_at = time_at(rows, 4);
  row.outcome.by_delta = rows.integer(5) != 0;
  row.outcome.fetched_bytes = static_cast<std::uint64_t>(rows.integer(6));
  row.outcome.inferences = static_cast<std::uint64_t>(rows.integer(7));
  row.outcome.errors = static_cast<std::uint64_t>(rows.integer(8));
  row.outcome.reason = rows.text(9);
  return row;
}

class SqliteDevices : public DeviceStore {
 public:
  explicit SqliteDevices(Database& database) : database_(database) {}

  Result<> seen(const DeviceId& device, const SignOfLife& life, Time now) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_CHECK(tx.run("UPDATE devices SET running = ?2, state = ?3, spooled = ?4, seen_ms = ?5 WHERE id = ?1",
                      device.value, life.running.value, life.state, life.spooled, unix_ms(now)));
    return tx.commit();
  }

  Result<> seen(const DeviceId& device, Time now) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_CHECK(tx.run("UPDATE devices SET seen_ms = ?2 WHERE id = ?1", device.value, unix_ms(now)));
    return tx.commit();
  }

  Result<> add_outcome(const DeviceId& device, const PipelineName& pipeline, const wire::Outcome& outcome,
                       Time now) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_CHECK(
        tx.run("INSERT INTO outcomes (device, pipeline, release, kind, at_ms, live_ms, by_delta, fetched_bytes,"
               " inferences, errors, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
               " ON CONFLICT DO UPDATE SET inferences = max(inferences, excluded.inferences),"
               " errors = max(errors, excluded.errors)",
               device.value, pipeline.value, outcome.release.value, kKinds[static_cast<std::size_t>(outcome.kind)],
               unix_ms(now), unix_ms(outcome.live_at), outcome.by_delta, outcome.fetched_bytes, outcome.inferences,
               outcome.errors, outcome.reason));
    return tx.commit();
  }

  Result<std::vector<DeviceRow>> devices(const PipelineName& pipeline) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows, tx.query("SELECT d.id, d.pipeline, d.enrolled_ms, d.seen_ms, d.running, d.state, d.spooled,"
                                 " COUNT(b.number), COALESCE(SUM(b.rows), 0), COALESCE(SUM(b.bytes), 0)"
                                 " FROM devices d LEFT JOIN batches b ON b.pipeline = d.pipeline AND b.device = d.id"
                                 " WHERE ?1 = '' OR d.pipeline = ?1 GROUP BY d.id ORDER BY d.enrolled_ms, d.id",
                                 pipeline.value));
    std::vector<DeviceRow> devices;
    for (;;) {
      HONE_TRY(const bool more, rows.next());
      if (!more) return devices;
      DeviceRow device;
      device.id = DeviceId(rows.text(0));
      device.pipeline = PipelineName(rows.text(1));
      device.enrolled = time_at(rows, 2);
      device.seen = time_at(rows, 3);
      device.life = {{static_cast<std::uint64_t>(rows.integer(4))}, rows.text(5), rows.integer(6)};
      device.batches = rows.integer(7);
      device.rows = rows.integer(8);
      device.bytes = rows.integer(9);
      devices.push_back(std::move(device));
    }
  }

  Result<std::vector<OutcomeRow>> outcomes(const PipelineName& pipeline, ReleaseSeq release) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows, tx.query("SELECT " HONE_OUTCOME_COLUMNS
                                 " FROM outcomes WHERE pipeline = ?1 AND release = ?2 ORDER BY at_ms, device",
                                 pipeline.value, release.value));
    std::vector<OutcomeRow> outcomes;
    for (;;) {
      HONE_TRY(const bool more, rows.next());
      if (!more) return outcomes;
      HONE_TRY(auto outcome, outcome_at(rows));
      outcomes.push_back(std::move(outcome));
    }
  }

  Result<std::optional<OutcomeRow>> last_outcome(const DeviceId& device) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows, tx.query("SELECT " HONE_OUTCOME_COLUMNS
                                 " FROM outcomes WHERE device = ?1 ORDER BY at_ms DESC, release DESC LIMIT 1",
                                 device.value));
    HONE_TRY(const bool found, rows.next());
    if (!found) return std::nullopt;
    HONE_TRY(auto outcome, outcome_at(rows));
    return std::optional(std::move(outcome));
  }

 private:
  Database& database_;
};

}  // namespace

std::unique_ptr<DeviceStore> make_device_store(Database& database) {
  return std::make_unique<SqliteDevices>(database);
}

}  // namespace hone::cloud::sqlite
