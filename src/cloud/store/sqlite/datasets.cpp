#include "cloud/store/sqlite/columns.hpp"
#include "cloud/store/sqlite/stores.hpp"

namespace hone::cloud::sqlite {
namespace {

class SqliteDatasets : public DatasetStore {
 public:
  explicit SqliteDatasets(Database& database) : database_(database) {}

  Result<SplitFixed> fix_split(const PipelineName& pipeline, const SplitFixed& wanted) override {
    HONE_TRY(auto tx, database_.begin());
    // Before the first row is stored nothing depends on the old values, so the file may still change them.
    HONE_CHECK(
        tx.run("INSERT INTO pipelines (name, signal, holdout) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE"
               " SET signal = ?2, holdout = ?3 WHERE NOT EXISTS (SELECT 1 FROM batches WHERE pipeline = ?1)",
               pipeline.value, wanted.signal, wanted.holdout));
    SplitFixed fixed;
    {
      HONE_TRY(auto rows, tx.query("SELECT signal, holdout FROM pipelines WHERE name = ?1", pipeline.value));
      HONE_TRY([[maybe_unused]] const bool found, rows.next());
      fixed = {rows.text(0), rows.real(1)};
    }
    HONE_CHECK(tx.commit());
    return fixed;
  }

  Result<std::vector<PendingBatch>> unsplit(const PipelineName& pipeline, int count_max) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows,
             tx.query("SELECT number, device, blob FROM batches WHERE pipeline = ?1 AND training_rows IS NULL"
                      " ORDER BY number LIMIT ?2",
                      pipeline.value, count_max));
    std::vector<PendingBatch> batches;
    for (;;) {
      HONE_TRY(const bool more, rows.next());
      if (!more) return batches;
      PendingBatch batch{rows.integer(0), DeviceId(rows.text(1)), {}};
      HONE_CHECK(read(rows, 2, batch.blob));
      batches.push_back(batch);
    }
  }

  Result<std::vector<SplitBatch>> split_since_sealed(const PipelineName& pipeline) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(const std::int64_t sealed_training, sealed(tx, pipeline, Part::training));
    HONE_TRY(const std::int64_t sealed_holdout, sealed(tx, pipeline, Part::holdout));
    HONE_TRY(auto rows, tx.query("SELECT number, device, blob, training_rows, holdout_rows FROM batches"
                                 " WHERE pipeline = ?1 AND training_rows IS NOT NULL ORDER BY number",
                                 pipeline.value));
    std::vector<SplitBatch> batches;
    std::int64_t training = 0;
    std::int64_t holdout = 0;
    for (;;) {
      HONE_TRY(const bool more, rows.next());
      if (!more) return batches;
      SplitBatch batch{rows.integer(0), DeviceId(rows.text(1)), {}, rows.integer(3), rows.integer(4)};
      training += batch.training_rows;
      holdout += batch.holdout_rows;
      if (training <= sealed_training && holdout <= sealed_holdout) continue;
      HONE_CHECK(read(rows, 2, batch.blob));
      batches.push_back(batch);
    }
  }

  Result<std::int64_t> rows_before(const PipelineName& pipeline, Part part, std::int64_t number) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows, tx.query(part == Part::training
                                     ? "SELECT SUM(training_rows) FROM batches WHERE pipeline = ?1 AND number < ?2"
                                     : "SELECT SUM(holdout_rows) FROM batches WHERE pipeline = ?1 AND number < ?2",
                                 pipeline.value, number));
    HONE_TRY([[maybe_unused]] const bool found, rows.next());
    return rows.integer(0);
  }

  Result<std::vector<wire::Shard>> shards(const PipelineName& pipeline, Part part) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows,
             tx.query("SELECT rows, x, y, t, d FROM shards WHERE pipeline = ?1 AND part = ?2 ORDER BY number",
                      pipeline.value, name_of(part)));
    std::vector<wire::Shard> shards;
    for (;;) {
      HONE_TRY(const bool more, rows.next());
      if (!more) return shards;
      wire::Shard shard;
      shard.rows = rows.integer(0);
      HONE_CHECK(read(rows, 1, shard.x));
      HONE_CHECK(read(rows, 2, shard.y));
      HONE_CHECK(read(rows, 3, shard.t));
      HONE_CHECK(read(rows, 4, shard.d));
      shards.push_back(shard);
    }
  }

  Result<std::int32_t> place_of(const PipelineName& pipeline, const DeviceId& device) override {
    HONE_TRY(auto tx, database_.begin());
    {
      HONE_TRY(auto rows, tx.query("SELECT place FROM dataset_devices WHERE pipeline = ?1 AND device = ?2",
                                   pipeline.value, device.value));
      HONE_TRY(const bool found, rows.next());
      if (found) return static_cast<std::int32_t>(rows.integer(0));
    }
    std::int64_t place = 0;
    {
      HONE_TRY(auto rows, tx.query("SELECT COUNT(*) FROM dataset_devices WHERE pipeline = ?1", pipeline.value));
      HONE_TRY([[maybe_unused]] const bool found, rows.next());
      place = rows.integer(0);
    }
    HONE_CHECK(tx.run("INSERT INTO dataset_devices (pipeline, place, device) VALUES (?1, ?2, ?3)", pipeline.value,
                      place, device.value));
    HONE_CHECK(tx.commit());
    return static_cast<std::int32_t>(place);
  }

  Result<std::vector<std::string>> devices(const PipelineName& pipeline) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows,
             tx.query("SELECT device FROM dataset_devices WHERE pipeline = ?1 ORDER BY place", pipeline.value));
    std::vector<std::string> devices;
    for (;;) {
      HONE_TRY(const bool more, rows.next());
      if (!more) return devices;
      devices.push_back(rows.text(0));
    }
  }

  Result<> record_split(const PipelineName& pipeline, const std::vector<SplitBatch>& batches,
                        const std::vector<SealedShard>& shards) override {
    HONE_TRY(auto tx, database_.begin());
    for (const auto& batch : batches) {
      HONE_CHECK(
          tx.run("UPDATE batches SET training_rows = ?2, holdout_rows = ?3"
                 " WHERE number = ?1 AND training_rows IS NULL",
                 batch.number, batch.training_rows, batch.holdout_rows));
      if (tx.changes() != 1) {
        return fail(Code::unavailable, "batch " + std::to_string(batch.number) + " was split by somebody else");
      }
    }
    for (const auto& [part, shard] : shards) {
      HONE_CHECK(tx.run("INSERT INTO shards (pipeline, part, rows, x, y, t, d) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                        pipeline.value, name_of(part), shard.rows, shard.x.hex(), shard.y.hex(), shard.t.hex(),
                        shard.d.hex()));
    }
    return tx.commit();
  }

  Result<DatasetTotals> totals(const PipelineName& pipeline) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows, tx.query("SELECT COALESCE(SUM(training_rows), 0), COALESCE(SUM(holdout_rows), 0),"
                                 " COALESCE(SUM(labelled) FILTER (WHERE training_rows IS NOT NULL), 0),"
                                 " COALESCE(MAX(received_ms) FILTER (WHERE training_rows IS NOT NULL), 0),"
                                 " COUNT(*), COALESCE(SUM(rows), 0), COALESCE(SUM(bytes), 0),"
                                 " (SELECT COUNT(*) FROM dataset_versions WHERE pipeline = ?1)"
                                 " FROM batches WHERE pipeline = ?1",
                                 pipeline.value));
    HONE_TRY([[maybe_unused]] const bool found, rows.next());
    DatasetTotals totals;
    totals.training = rows.integer(0);
    totals.holdout = rows.integer(1);
    totals.labelled = rows.integer(2);
    totals.last_received = time_at(rows, 3);
    totals.received_batches = rows.integer(4);
    totals.received_rows = rows.integer(5);
    totals.received_bytes = rows.integer(6);
    totals.versions = rows.integer(7);
    return totals;
  }

  Result<> add_version(const DatasetVersion& version) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_CHECK(
        tx.run("INSERT INTO dataset_versions (hash, pipeline, training_rows, holdout_rows, created_ms)"
               " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
               version.hash.hex(), version.pipeline.value, version.training_rows, version.holdout_rows,
               unix_ms(version.created)));
    return tx.commit();
  }

  Result<std::optional<DatasetVersion>> version(const DatasetHash& hash) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows, tx.query("SELECT pipeline, training_rows, holdout_rows, created_ms FROM dataset_versions"
                                 " WHERE hash = ?1",
                                 hash.hex()));
    HONE_TRY(const bool found, rows.next());
    if (!found) return std::nullopt;
    return DatasetVersion{hash, PipelineName(rows.text(0)), rows.integer(1), rows.integer(2), time_at(rows, 3)};
  }

 private:
  static Result<std::int64_t> sealed(Transaction& tx, const PipelineName& pipeline, Part part) {
    HONE_TRY(auto rows,
             tx.query("SELECT SUM(rows) FROM shards WHERE pipeline = ?1 AND part = ?2", pipeline.value, name_of(part)));
    HONE_TRY([[maybe_unused]] const bool found, rows.next());
    return rows.integer(0);
  }

  Database& database_;
};

}  // namespace

std::unique_ptr<DatasetStore> make_dataset_store(Database& database) {
  return std::make_unique<SqliteDatasets>(database);
}

}  // namespace hone::cloud::sqlite
