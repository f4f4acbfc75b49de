#include "edge/spool/spool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "platform/sim/sim.hpp"

namespace hone::edge {
namespace {

using namespace std::chrono_literals;
using platform::SimFiles;
using platform::SimRandom;

const Time kStart = from_unix_ms(1'000'000);

struct SpoolTest : ::testing::Test {
  SimFiles files;
  SimRandom random{7};
  SpoolOptions options;
  SignalPrint print{1, 2, 3};

  std::unique_ptr<Spool> open() {
    auto spool = Spool::open(files, "spool", options, random);
    EXPECT_TRUE(spool) << spool.error().context;
    return spool ? std::move(*spool) : nullptr;
  }
  static Result<> add(Spool& spool, std::uint8_t value, Time at = kStart, std::size_t size = 10) {
    const Bytes bytes(size, value);
    return spool.append({bytes, value % 10, at});
  }
};

TEST_F(SpoolTest, HandsOutWhatWasAppendedInOrder) {
  const auto spool = open();
  ASSERT_TRUE(spool->flush(kStart, 1s, print));
  for (std::uint8_t i = 0; i < 20; ++i) ASSERT_TRUE(add(*spool, i, kStart + i * 1ms));
  EXPECT_EQ(spool->status().rows, 20U);
  EXPECT_EQ(spool->status().rows_durable, 0U);
  ASSERT_TRUE(spool->flush(kStart + 500ms, 1s, print));
  EXPECT_EQ(spool->status().rows_durable, 20U);
  EXPECT_FALSE(spool->oldest()) << "no sample is a second old yet";
  ASSERT_TRUE(spool->flush(kStart + 1s, 1s, print));

  const auto sealed = spool->oldest();
  ASSERT_TRUE(sealed);
  const auto segment = spool->read(*sealed);
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment->header.signal, print);
  EXPECT_EQ(segment->header.batch.value.size(), 32U);
  ASSERT_EQ(segment->records.size(), 20U);
  for (std::uint8_t i = 0; i < 20; ++i) {
    EXPECT_EQ(segment->bytes[segment->records[i].offset], i);
    EXPECT_EQ(segment->records[i].label, i % 10);
    EXPECT_EQ(segment->records[i].at, kStart + i * 1ms);
  }
  ASSERT_TRUE(spool->remove(*sealed));
  EXPECT_EQ(spool->status().rows, 0U);
  EXPECT_FALSE(spool->oldest());
}

TEST_F(SpoolTest, SealsAtItsRowBound) {
  options.segment_rows_max = 4;
  const auto spool = open();
  for (std::uint8_t i = 0; i < 10; ++i) ASSERT_TRUE(add(*spool, i));
  ASSERT_TRUE(spool->flush(kStart, 1h, print));
  std::vector<std::uint64_t> rows;
  while (const auto s = spool->oldest()) {
    rows.push_back(s->rows);
    ASSERT_TRUE(spool->remove(*s));
  }
  EXPECT_EQ(rows, (std::vector<std::uint64_t>{4, 4, 2})) << "the new signal seals what was before it";
}

TEST_F(SpoolTest, KeepsSyncedSamplesAfterPowerLossWithTheSameBatchId) {
  BatchId id;
  {
    const auto spool = open();
    ASSERT_TRUE(spool->flush(kStart, 1s, print));
    for (std::uint8_t i = 0; i < 5; ++i) ASSERT_TRUE(add(*spool, i));
    ASSERT_TRUE(spool->flush(kStart + 2s, 1s, print));
    id = spool->read(*spool->oldest())->header.batch;
    ASSERT_TRUE(add(*spool, 99));  // never synced
  }
  files.reboot(random);
  const auto spool = open();
  EXPECT_EQ(spool->status().rows_durable, 5U);
  EXPECT_EQ(spool->read(*spool->oldest())->header.batch, id);
}

TEST_F(SpoolTest, DropsATornTailAndKeepsWhatIsBeforeIt) {
  const auto spool = open();
  for (std::uint8_t i = 0; i < 3; ++i) ASSERT_TRUE(add(*spool, i));
  ASSERT_TRUE(spool->sync());
  const std::string path = "spool/000000000001.seg";
  const std::uint64_t whole = kSegmentHeaderBytes + 3 * (kRecordHeaderBytes + 10);
  for (std::uint64_t size = whole; size-- > 0;) {
    {
      auto file = files.open(path, OpenMode::write);
      ASSERT_TRUE(file);
      ASSERT_TRUE((*file)->truncate(size));
    }
    const auto bytes = read_file(files, path, 1u << 20);
    ASSERT_TRUE(bytes);
    const auto segment = parse_segment(*bytes);
    if (size < kSegmentHeaderBytes) {
      EXPECT_FALSE(segment);
    } else {
      EXPECT_EQ(segment->records.size(), (size - kSegmentHeaderBytes) / (kRecordHeaderBytes + 10)) << size;
    }
  }
}

TEST_F(SpoolTest, NoticesEveryFlippedBit) {
  Bytes file = encode(SegmentHeader{BatchId(std::string(32, 'a')), print});
  const Bytes sample{1, 2, 3};
  append_record(file, {sample, 4, kStart});
  ASSERT_EQ(parse_segment(file)->records.size(), 1U);
  for (std::size_t i = 0; i < file.size() * 8; ++i) {
    Bytes rotten = file;
    rotten[i / 8] = static_cast<std::uint8_t>(rotten[i / 8] ^ (1U << i % 8));
    const auto segment = parse_segment(rotten);
    EXPECT_TRUE(!segment || segment->records.empty()) << "bit " << i;
  }
}

TEST_F(SpoolTest, DropsTheOldestWhenFullAndCounts) {
  options.bytes_max = 2000;
  const auto spool = open();
  for (std::uint8_t i = 0; i < 200; ++i) {
    ASSERT_TRUE(add(*spool, i));
    ASSERT_TRUE(spool->sync());
    ASSERT_LE(spool->status().bytes, 2000U);
  }
  const SpoolStatus status = spool->status();
  EXPECT_EQ(status.rows + status.rows_dropped, 200U);
  EXPECT_GT(status.rows, 30U);
  ASSERT_TRUE(spool->flush(kStart, 1h, print));
  const auto first = spool->read(*spool->oldest());
  EXPECT_EQ(first->bytes[0], status.rows_dropped) << "the newest are kept";
}

TEST_F(SpoolTest, RefusesNewSamplesWhenAskedTo) {
  options.bytes_max = 1000;
  options.refuse_when_full = true;
  const auto spool = open();
  std::uint64_t taken = 0;
  while (add(*spool, 1)) ++taken;
  EXPECT_EQ(add(*spool, 1).error().code, Code::no_space);
  ASSERT_TRUE(spool->sync());
  EXPECT_EQ(spool->status().rows_durable, taken) << "what was taken is kept";
  EXPECT_EQ(spool->status().rows_dropped, 0U);
  EXPECT_GT(taken, 10U);
  ASSERT_TRUE(spool->remove(*spool->oldest()));
  EXPECT_TRUE(add(*spool, 1)) << "an upload made room";
}

TEST_F(SpoolTest, SurvivesAFullDisk) {
  options.segment_rows_max = 5;
  const auto spool = open();
  files.set_capacity(1500);
  for (std::uint8_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(add(*spool, i));
    ASSERT_TRUE(spool->sync()) << int{i};
  }
  EXPECT_GT(spool->status().rows_dropped, 0U);
  EXPECT_EQ(spool->status().rows + spool->status().rows_dropped, 100U);
}

TEST_F(SpoolTest, WritesByItselfWhenNobodySteps) {
  options.queue_bytes_max = 100;
  const auto spool = open();
  for (std::uint8_t i = 0; i < 50; ++i) ASSERT_TRUE(add(*spool, i));
  EXPECT_GT(spool->status().bytes, 1000U);
  EXPECT_EQ(spool->status().rows, 50U);
}

TEST_F(SpoolTest, KeepsSamplesQueuedWhileTheDiskFails) {
  const auto spool = open();
  files.cut_power_at(1);
  ASSERT_TRUE(add(*spool, 1));
  EXPECT_EQ(spool->sync().error().code, Code::unavailable);
  EXPECT_EQ(spool->status().rows, 1U);
  EXPECT_EQ(spool->status().rows_durable, 0U);
}

TEST_F(SpoolTest, DoesNotSealSmallSegmentsWhileOthersWait) {
  const auto spool = open();
  ASSERT_TRUE(spool->flush(kStart, 1s, print));
  for (int hour = 0; hour < 50; ++hour) {
    ASSERT_TRUE(add(*spool, 1, kStart + hour * 1h));
    ASSERT_TRUE(spool->flush(kStart + hour * 1h + 2s, 1s, print));
  }
  EXPECT_EQ(files.list("spool")->size(), 2U);
}

TEST_F(SpoolTest, TakesSamplesFromOtherThreadsWhileItSteps) {
  options.segment_rows_max = 16;
  options.queue_bytes_max = 400;
  const auto spool = open();
  constexpr int kThreads = 3, kEach = 300;
  std::atomic<int> running{kThreads};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) EXPECT_TRUE(add(*spool, 1));
      --running;
    });
  }
  std::uint64_t taken = 0;
  const auto take_all = [&] {
    ASSERT_TRUE(spool->flush(kStart + 1h, 0s, print));
    while (const auto s = spool->oldest()) {
      taken += spool->read(*s)->records.size();
      ASSERT_TRUE(spool->remove(*s));
    }
  };
  while (running > 0) take_all();
  for (auto& thread : threads) thread.join();
  take_all();
  take_all();
  EXPECT_EQ(taken, static_cast<std::uint64_t>(kThreads * kEach));
}

}  // namespace
}  // namespace hone::edge
