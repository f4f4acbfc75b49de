#include "cloud/ingest/ingest.hpp"

#include <gtest/gtest.h>

#include "cloud/store/files/blobs.hpp"
#include "cloud/store/sqlite/stores.hpp"
#include "platform/sim/sim.hpp"
#include "shared/wire/batch.hpp"

namespace hone::cloud {
namespace {

struct IngestTest : ::testing::Test {
  IngestTest() {
    pipeline.name = PipelineName("digits");
    pipeline.signal.shape = {2, 2};
    pipeline.signal.dtype = wire::DType::uint8;
    pipeline.signal.labels = {"a", "b"};
    blobs = open_blob_folder(files, "data/blobs").value();
    database = sqlite::Database::open(":memory:").value();
    batches = sqlite::make_batch_store(*database);
    datasets = sqlite::make_dataset_store(*database);
    batch.id = BatchId(std::string(32, '1'));
    batch.device = DeviceId("dev-0000000000000001");
    batch.pipeline = pipeline.name;
    batch.x = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    batch.y = {0, 1, wire::kNoLabel};
    batch.t = {1, 2, 3};
  }

  Result<Ingested> send(const wire::Batch& what) {
    const Bytes body = wire::encode(what, pipeline.signal).value();
    return ingest(body, DeviceId("dev-0000000000000001"), pipeline, from_unix_ms(1000), *blobs, *batches);
  }
  DatasetTotals totals() { return datasets->totals(pipeline.name).value(); }

  platform::SimFiles files;
  Pipeline pipeline;
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<sqlite::Database> database;
  std::unique_ptr<BatchStore> batches;
  std::unique_ptr<DatasetStore> datasets;
  wire::Batch batch;
};

TEST_F(IngestTest, StoresABatchOnceHoweverOftenItIsSent) {
  const auto first = send(batch);
  ASSERT_TRUE(first.has_value()) << first.error().context;
  EXPECT_EQ(first->rows, 3);
  EXPECT_FALSE(first->duplicate);
  for (int i = 0; i < 3; ++i) {
    const auto again = send(batch);
    ASSERT_TRUE(again.has_value()) << again.error().context;
    EXPECT_EQ(again->rows, 0);
    EXPECT_TRUE(again->duplicate);
  }
  EXPECT_EQ(totals().received_batches, 1);
  EXPECT_EQ(totals().received_rows, 3);
}

TEST_F(IngestTest, RefusesOtherContentUnderAKnownId) {
  ASSERT_TRUE(send(batch).has_value());
  batch.x[0] = 99;
  const auto changed = send(batch);
  ASSERT_FALSE(changed.has_value());
  EXPECT_EQ(changed.error().code, Code::invalid);
  EXPECT_EQ(totals().received_batches, 1);
}

TEST_F(IngestTest, RefusesABatchOfAnotherDeviceOrPipeline) {
  wire::Batch other = batch;
  other.device = DeviceId("dev-0000000000000002");
  EXPECT_EQ(send(other).error().code, Code::invalid);
  other = batch;
  other.pipeline = PipelineName("letters");
  EXPECT_EQ(send(other).error().code, Code::invalid);
  EXPECT_EQ(totals().received_batches, 0);
}

TEST_F(IngestTest, RefusesWhatDoesNotFitTheSignal) {
  pipeline.signal.shape = {3, 3};
  const Bytes of_old_shape = [&] {
    wire::Signal old = pipeline.signal;
    old.shape = {2, 2};
    return wire::encode(batch, old).value();
  }();
  const auto refused = ingest(of_old_shape, batch.device, pipeline, from_unix_ms(1), *blobs, *batches);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::invalid);
}

TEST_F(IngestTest, AcknowledgesNothingWhenTheDiskIsFull) {
  files.set_capacity(64);
  const auto full = send(batch);
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().code, Code::no_space);
  EXPECT_EQ(totals().received_batches, 0);
  files.set_capacity(1 << 20);
  const auto later = send(batch);
  ASSERT_TRUE(later.has_value());
  EXPECT_FALSE(later->duplicate);
}

TEST_F(IngestTest, KeepsWhatItAcknowledgedThroughAPowerCutAtEveryWrite) {
  // Without a cut: how many operations one batch takes.
  const std::uint64_t before = files.operations();
  ASSERT_TRUE(send(batch).has_value());
  const std::uint64_t operations = files.operations() - before;
  ASSERT_GT(operations, 2U);
  for (std::uint64_t cut = 1; cut <= operations + 1; ++cut) {
    platform::SimFiles disk;
    platform::SimRandom random(cut);
    auto store = open_blob_folder(disk, "data/blobs").value();
    auto db = sqlite::Database::open(":memory:").value();
    auto rows = sqlite::make_batch_store(*db);
    const Bytes body = wire::encode(batch, pipeline.signal).value();
    disk.cut_power_at(cut);
    const auto sent = ingest(body, batch.device, pipeline, from_unix_ms(1), *store, *rows);
    disk.reboot(random);
    store = open_blob_folder(disk, "data/blobs").value();
    const auto kept = store->get(BlobHash{sha256(body)}, 1 << 20);
    if (sent) {
      ASSERT_TRUE(kept.has_value()) << "cut at " << cut << ": " << kept.error().context;
      EXPECT_EQ(*kept, body);
    }
    const auto again = ingest(body, batch.device, pipeline, from_unix_ms(2), *store, *rows);
    ASSERT_TRUE(again.has_value()) << "cut at " << cut << ": " << again.error().context;
    EXPECT_EQ(again->duplicate, sent.has_value());
  }
}

}  // namespace
}  // namespace hone::cloud
