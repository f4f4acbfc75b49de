#include "cloud/dataset/dataset.hpp"

#include <gtest/gtest.h>

#include <set>

#include "cloud/ingest/ingest.hpp"
#include "cloud/store/files/blobs.hpp"
#include "cloud/store/sqlite/stores.hpp"
#include "platform/sim/sim.hpp"
#include "shared/wire/batch.hpp"
#include "shared/wire/npy.hpp"

namespace hone::cloud {
namespace {

// Samples of 64 KiB, so that a shard is full after 64 rows.
constexpr std::size_t kSampleBytes = 64 * 1024;

struct World {
  World() {
    pipeline.name = PipelineName("p");
    pipeline.signal.shape = {static_cast<std::int64_t>(kSampleBytes)};
    pipeline.signal.dtype = wire::DType::uint8;
    pipeline.signal.labels = {"a", "b"};
    pipeline.gate.holdout = 0.3;
    blobs = open_blob_folder(files, "blobs").value();
    database = sqlite::Database::open(":memory:").value();
    batches = sqlite::make_batch_store(*database);
    store = sqlite::make_dataset_store(*database);
  }

  void send(int first, int rows) {
    wire::Batch batch;
    const std::string digits = std::to_string(1000000 + first);
    batch.id = BatchId(std::string(32 - digits.size(), '0') + digits);
    batch.device = DeviceId("dev-000000000000000" + std::to_string(first % 3));
    batch.pipeline = pipeline.name;
    for (int i = first; i < first + rows; ++i) {
      Bytes x(kSampleBytes, 0);
      x[0] = static_cast<std::uint8_t>(i);
      x[1] = static_cast<std::uint8_t>(i >> 8);
      batch.x.insert(batch.x.end(), x.begin(), x.end());
      batch.y.push_back(i % 2);
      batch.t.push_back(i);
    }
    const auto done = ingest(wire::encode(batch, pipeline.signal).value(), batch.device, pipeline, from_unix_ms(first),
                             *blobs, *batches);
    ASSERT_TRUE(done.has_value()) << done.error().context;
  }

  std::unique_ptr<Dataset> open() { return Dataset::open(pipeline, *blobs, *store).value(); }

  std::set<int> rows_of(const std::vector<wire::Shard>& shards) {
    std::set<int> rows;
    for (const auto& shard : shards) {
      const Bytes x = blobs->get(shard.x, kShardBytesMax).value();
      const auto header = wire::parse_npy(x, x.size()).value();
      for (std::int64_t i = 0; i < shard.rows; ++i) {
        const std::size_t at = header.data_offset + static_cast<std::size_t>(i) * kSampleBytes;
        EXPECT_TRUE(rows.insert(x[at] | x[at + 1] << 8).second) << "a row stands twice";
      }
    }
    return rows;
  }

  wire::DatasetManifest manifest(const DatasetVersion& version) {
    return wire::dataset_manifest_from(blobs->get(BlobHash{version.hash.sha256}, kShardBytesMax).value()).value();
  }

  platform::SimFiles files;
  Pipeline pipeline;
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<sqlite::Database> database;
  std::unique_ptr<BatchStore> batches;
  std::unique_ptr<DatasetStore> store;
};

void split_all(Dataset& dataset) {
  for (;;) {
    const auto more = dataset.step();
    ASSERT_TRUE(more.has_value()) << more.error().context;
    if (!*more) return;
  }
}

TEST(Dataset, HoldsEachRowOnceInOnePart) {
  World world;
  for (int i = 0; i < 240; i += 40) world.send(i, 40);
  auto dataset = world.open();
  split_all(*dataset);
  const auto version = dataset->cut(from_unix_ms(1));
  ASSERT_TRUE(version.has_value()) << version.error().context;
  const auto manifest = world.manifest(*version);
  const auto training = world.rows_of(manifest.training);
  const auto holdout = world.rows_of(manifest.holdout);
  EXPECT_EQ(training.size() + holdout.size(), 240U);
  for (const int row : holdout) EXPECT_FALSE(training.contains(row));
  EXPECT_GT(manifest.training.size(), 1U) << "a full shard and the rest";
  EXPECT_EQ(manifest.devices.size(), 3U);
}

TEST(Dataset, GivesTheSameHashHoweverTheWorkWasCutUp) {
  World at_once, in_pieces, restarted;
  for (int i = 0; i < 240; i += 40) at_once.send(i, 40);
  auto dataset = at_once.open();
  split_all(*dataset);
  const auto expected = dataset->cut(from_unix_ms(1)).value();

  auto pieces = in_pieces.open();
  for (int i = 0; i < 240; i += 40) {
    in_pieces.send(i, 40);
    split_all(*pieces);
    if (i > 0) {
      ASSERT_TRUE(pieces->cut(from_unix_ms(2)).has_value());
    }
  }
  EXPECT_EQ(pieces->cut(from_unix_ms(3))->hash, expected.hash);
  EXPECT_EQ(pieces->cut(from_unix_ms(4))->hash, expected.hash) << "cutting again changes nothing";

  for (int i = 0; i < 240; i += 40) {
    restarted.send(i, 40);
    split_all(*restarted.open());  // the memory of the one before is gone
  }
  EXPECT_EQ(restarted.open()->cut(from_unix_ms(5))->hash, expected.hash);
}

// Row i was sensed at i ms, by one of three devices, and its window took 2.5 ms.
TEST(Dataset, HoldsOutWholeBlocksOfAStreamsTimeAlsoAfterRestarts) {
  World world, restarted;
  for (World* w : {&world, &restarted}) {
    w->pipeline.stream = wire::Stream{static_cast<std::int64_t>(kSampleBytes), 1, static_cast<double>(kSampleBytes) * 400};
    for (int i = 0; i < 600; i += 40) {
      w->send(i, 40);
      if (w == &restarted) split_all(*w->open());
    }
  }
  auto dataset = world.open();
  split_all(*dataset);
  const auto version = dataset->cut(from_unix_ms(1)).value();
  EXPECT_EQ(restarted.open()->cut(from_unix_ms(2))->hash, version.hash);

  const auto manifest = world.manifest(version);
  const auto training = world.rows_of(manifest.training), holdout = world.rows_of(manifest.holdout);
  EXPECT_LT(training.size() + holdout.size(), 600U) << "windows over a border are on neither side";
  EXPECT_GT(training.size() + holdout.size(), 550U);
  const auto device = [](int row) { return row / 40 * 40 % 3; };
  for (const int row : holdout)
    for (int near = row - 2; near <= row + 2; ++near)
      EXPECT_FALSE(training.contains(near) && device(near) == device(row)) << row << " and " << near << " overlap";
}

TEST(Dataset, RefusesAStreamThatStoredWindowsWereNotSplitBy) {
  World world;
  world.pipeline.stream = wire::Stream{static_cast<std::int64_t>(kSampleBytes), 16, 1000};
  (void)world.open();
  world.send(0, 40);
  world.pipeline.stream->stride = 8;
  EXPECT_TRUE(Dataset::open(world.pipeline, *world.blobs, *world.store)) << "the split does not read it";
  world.pipeline.stream->rate_hz = 500;
  const auto opened = Dataset::open(world.pipeline, *world.blobs, *world.store);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::invalid);
  EXPECT_NE(opened.error().context.find("change [signal] back"), std::string::npos) << opened.error().context;
}

TEST(Dataset, KeepsOldVersionsAsTheyWereWhenDataGrows) {
  World world;
  world.send(0, 40);
  auto dataset = world.open();
  split_all(*dataset);
  const auto first = dataset->cut(from_unix_ms(1)).value();
  const auto holdout = world.rows_of(world.manifest(first).holdout);
  for (int i = 40; i < 240; i += 40) world.send(i, 40);
  split_all(*dataset);
  const auto second = dataset->cut(from_unix_ms(2)).value();
  EXPECT_NE(first.hash, second.hash);
  const auto grown = world.rows_of(world.manifest(second).holdout);
  for (const int row : holdout) EXPECT_TRUE(grown.contains(row)) << "a holdout row stays one";
  EXPECT_EQ(world.rows_of(world.manifest(first).training).size() + holdout.size(), 40U);
}

TEST(Dataset, SplitsABatchAgainAfterAFullDisk) {
  World world;
  for (int i = 0; i < 120; i += 40) world.send(i, 40);
  auto dataset = world.open();
  ASSERT_TRUE(dataset->step().has_value());
  world.files.set_capacity(1);
  Result<bool> done = true;
  while (done && *done) done = dataset->step();
  EXPECT_EQ(done.error().code, Code::no_space);
  world.files.set_capacity(1ull << 40);
  split_all(*dataset);
  const auto version = dataset->cut(from_unix_ms(1));
  ASSERT_TRUE(version.has_value()) << version.error().context;
  EXPECT_EQ(version->training_rows + version->holdout_rows, 120);
}

TEST(Dataset, NeedsRowsInBothParts) {
  World world;
  world.pipeline.gate.holdout = 0;
  world.send(0, 10);
  auto dataset = world.open();
  split_all(*dataset);
  EXPECT_EQ(dataset->cut(from_unix_ms(1)).error().code, Code::invalid);
}

TEST(Dataset, RefusesAnotherSignalOnceRowsAreStored) {
  World world;
  world.open();
  world.pipeline.signal.labels = {"a", "b", "c"};
  EXPECT_TRUE(Dataset::open(world.pipeline, *world.blobs, *world.store).has_value()) << "no rows yet";
  world.send(0, 10);
  world.pipeline.signal.labels = {"x"};
  EXPECT_EQ(Dataset::open(world.pipeline, *world.blobs, *world.store).error().code, Code::invalid);
}

}  // namespace
}  // namespace hone::cloud
