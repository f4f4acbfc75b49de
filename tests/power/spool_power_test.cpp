// The spool with the power cut at every operation of its disk.
#include <gtest/gtest.h>

#include <set>

#include "edge/spool/spool.hpp"
#include "platform/sim/sim.hpp"

namespace hone::edge {
namespace {

using namespace std::chrono_literals;

const Time kStart = from_unix_ms(1'800'000'000'000);

// Appends, syncs, seals and removes; tells what was durable and what was removed when it ended.
struct Story {
  std::set<std::uint8_t> durable, removed, appended;

  // False as soon as the disk fails.
  bool run(platform::SimFiles& files, platform::SimRandom& random) {
    SpoolOptions options;
    options.segment_rows_max = 5;
    auto spool = Spool::open(files, "state/spool", options, random);
    if (!spool) return false;
    for (std::uint8_t i = 0; i < 24; ++i) {
      const Bytes sample(20, i);
      if (!(*spool)->append({sample, i % 3, kStart + i * 100ms})) return false;
      appended.insert(i);
      if (i % 3 == 2) {
        if (!(*spool)->flush(kStart + i * 100ms, 700ms, SignalPrint{1})) return false;
        durable = appended;
      }
      if (i == 11 || i == 20) {
        const auto oldest = (*spool)->oldest();
        if (!oldest) return false;
        const auto segment = (*spool)->read(*oldest);
        if (!segment) return false;
        // Acknowledged: from here on the rows may be here or gone.
        for (const Record& r : segment->records) removed.insert(segment->bytes[r.offset]);
        if (!(*spool)->remove(*oldest)) return false;
      }
    }
    return true;
  }
};

TEST(SpoolPower, KeepsEveryDurableSampleOnceWhereverThePowerGoes) {
  std::uint64_t operations = 0;
  {
    platform::SimFiles files;
    platform::SimRandom random(1);
    ASSERT_TRUE(files.make_folders("state/spool"));
    ASSERT_TRUE(files.sync_folder("state"));
    ASSERT_TRUE(files.sync_folder("."));
    const std::uint64_t before = files.operations();
    ASSERT_TRUE(Story().run(files, random));
    operations = files.operations() - before;
  }
  ASSERT_GT(operations, 30U);
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    for (std::uint64_t cut = 1; cut <= operations; ++cut) {
      platform::SimFiles files;
      platform::SimRandom random(seed * 1000 + cut);
      ASSERT_TRUE(files.make_folders("state/spool"));
      ASSERT_TRUE(files.sync_folder("state"));
      ASSERT_TRUE(files.sync_folder("."));
      files.cut_power_at(cut);
      Story story;
      ASSERT_FALSE(story.run(files, random));
      files.reboot(random);

      auto spool = Spool::open(files, "state/spool", {}, random);
      ASSERT_TRUE(spool) << "cut " << cut << ": " << spool.error().context;
      std::multiset<std::uint8_t> found;
      std::set<std::string> ids;
      while (const auto sealed = (*spool)->oldest()) {
        const auto segment = (*spool)->read(*sealed);
        ASSERT_TRUE(segment);
        EXPECT_EQ(segment->records.size(), sealed->rows);
        EXPECT_TRUE(ids.insert(segment->header.batch.value).second);
        for (const Record& r : segment->records) {
          const std::uint8_t id = segment->bytes[r.offset];
          found.insert(id);
          EXPECT_EQ(r.label, id % 3);
          EXPECT_EQ(r.at, kStart + id * 100ms);
          for (std::size_t i = 0; i < r.size; ++i) EXPECT_EQ(segment->bytes[r.offset + i], id);
        }
        ASSERT_TRUE((*spool)->remove(*sealed));
      }
      for (const std::uint8_t id : story.durable) {
        if (story.removed.contains(id)) continue;
        EXPECT_EQ(found.count(id), 1U) << "cut " << cut << " seed " << seed << " sample " << int{id};
      }
      for (const std::uint8_t id : found) {
        EXPECT_EQ(found.count(id), 1U);
        EXPECT_LE(id, story.appended.empty() ? 0 : *story.appended.rbegin());
      }
    }
  }
}

}  // namespace
}  // namespace hone::edge
