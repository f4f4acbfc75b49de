#include "cloud/store/sqlite/columns.hpp"
#include "cloud/store/sqlite/stores.hpp"

namespace hone::cloud::sqlite {
namespace {

class SqliteBatches : public BatchStore {
 public:
  explicit SqliteBatches(Database& database) : database_(database) {}

  Result<bool> add(const StoredBatch& batch) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_CHECK(
        tx.run("INSERT INTO batches (pipeline, device, id, rows, labelled, bytes, blob, received_ms)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
               batch.pipeline.value, batch.device.value, batch.id.value, batch.rows, batch.labelled, batch.bytes,
               batch.blob.hex(), unix_ms(batch.received)));
    if (tx.changes() == 1) {
      HONE_CHECK(tx.commit());
      return true;
    }
    HONE_TRY(auto rows, tx.query("SELECT blob FROM batches WHERE pipeline = ?1 AND device = ?2 AND id = ?3",
                                 batch.pipeline.value, batch.device.value, batch.id.value));
    HONE_TRY(const bool found, rows.next());
    if (!found || rows.text(0) != batch.blob.hex()) {
      return fail(Code::invalid, "batch " + batch.id.value +
                                     " came before with other content: a batch keeps its id and its samples for good");
    }
    return false;
  }

 private:
  Database& database_;
};

}  // namespace

std::unique_ptr<BatchStore> make_batch_store(Database& database) {
  return std::make_unique<SqliteBatches>(database);
}

}  // namespace hone::cloud::sqlite
