#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "base/json.hpp"
#include "cloud/publish/publish.hpp"
#include "platform/sim/sim.hpp"
#include "shared/trust/metadata.hpp"
#include "shared/trust/verifier.hpp"

namespace hone::cloud {
namespace {

using namespace std::chrono_literals;
using platform::SimFiles;
using platform::SimRandom;
using std::chrono::days;
using trust::Verifier;

const Time kNow = *from_rfc3339("2026-11-23T00:00:00Z");

NewTarget target(const std::string& path, std::string_view text) {
  return {{path, text.size(), sha256(as_bytes(text))}, to_bytes(text)};
}

std::vector<NewTarget> release(int seq) {
  const std::string name = "models/digits/" + std::to_string(seq);
  return {target(name + ".onnx", "model " + std::to_string(seq)), target(name + ".manifest.json", "manifest " + name)};
}

Result<std::unique_ptr<Publisher>> open_publisher(SimFiles& files, Time now) {
  HONE_CHECK(files.make_folders("cloud"));
  HONE_CHECK(files.sync_folder("."));
  static SimRandom random(99);  // each repository gets keys of its own
  return Publisher::open(files, "cloud/repository", "cloud/keys", random, now);
}

// What a client that starts from nothing finds, checked from end to end, every target's bytes too.
struct Seen {
  trust::Root root;
  trust::Timestamp timestamp;
  trust::Snapshot snapshot;
  trust::Targets targets;
};

Result<Seen> see(SimFiles& files) {
  const auto read = [&files](const std::string& name) { return read_file(files, "cloud/repository/" + name, 1 << 20); };
  std::int64_t version = 1;
  HONE_TRY(const Bytes first, read("metadata/1.root.json"));
  HONE_TRY(auto root, Verifier::anchor(first));
  while (auto next = read("metadata/" + std::to_string(++version) + ".root.json")) {
    HONE_TRY(root, Verifier::next_root(root, *next));
  }
  HONE_TRY(const Bytes timestamp_bytes, read("metadata/timestamp.json"));
  HONE_TRY(const auto timestamp, Verifier::timestamp(root, timestamp_bytes));
  HONE_TRY(const Bytes snapshot_bytes,
           read("metadata/" + std::to_string(timestamp->snapshot.version) + ".snapshot.json"));
  HONE_TRY(const auto snapshot, Verifier::snapshot(root, snapshot_bytes));
  HONE_CHECK(trust::check_named(timestamp->snapshot, snapshot->version, snapshot_bytes, "snapshot"));
  const trust::MetaFile& named = snapshot->files.at("targets.json");
  HONE_TRY(const Bytes targets_bytes, read("metadata/" + std::to_string(named.version) + ".targets.json"));
  HONE_TRY(const auto targets, Verifier::targets(root, targets_bytes));
  HONE_CHECK(trust::check_named(named, targets->version, targets_bytes, "targets"));
  for (const auto& [path, file] : targets->files) {
    HONE_TRY(const Bytes bytes, read("targets/" + trust::stored_target_path(file)));
    if (sha256(bytes) != file.sha256) return fail(Code::damaged, path);
  }
  return Seen{*root, *timestamp, *snapshot, *targets};
}

TEST(Publisher, BeginsWithAnEmptyRepository) {
  SimFiles files;
  const auto publisher = open_publisher(files, kNow);
  ASSERT_TRUE(publisher) << publisher.error().context;
  const auto seen = see(files);
  ASSERT_TRUE(seen) << seen.error().context;
  EXPECT_EQ(seen->root.version, 1);
  EXPECT_TRUE(seen->root.consistent_snapshot);
  EXPECT_EQ(seen->timestamp.version, 1);
  EXPECT_TRUE(seen->targets.files.empty());
  EXPECT_EQ(seen->root.expires, kNow + days(365));
  EXPECT_EQ(seen->targets.expires, kNow + days(90));
  EXPECT_EQ(seen->snapshot.expires, kNow + days(7));
  EXPECT_EQ(seen->timestamp.expires, kNow + days(1));
  EXPECT_EQ((*publisher)->root_json(), *read_file(files, "cloud/repository/metadata/1.root.json", 1 << 20));
}

TEST(Publisher, AddsTargetsAndKeepsTheEarlierOnes) {
  SimFiles files;
  const auto publisher = *open_publisher(files, kNow);
  ASSERT_TRUE(publisher->publish(release(1), kNow));
  ASSERT_TRUE(publisher->publish(release(2), kNow));
  const auto seen = see(files);
  ASSERT_TRUE(seen) << seen.error().context;
  EXPECT_EQ(seen->targets.files.size(), 4u);
  EXPECT_EQ(seen->targets.version, 3);
  EXPECT_EQ(seen->timestamp.version, 3);
}

TEST(Publisher, PublishingTheSameAgainChangesNothing) {
  SimFiles files;
  const auto publisher = *open_publisher(files, kNow);
  ASSERT_TRUE(publisher->publish(release(1), kNow));
  const auto operations = files.operations();
  ASSERT_TRUE(publisher->publish(release(1), kNow + 1h));
  EXPECT_EQ(files.operations(), operations);
  EXPECT_EQ(see(files)->timestamp.version, 2);
}

TEST(Publisher, RefusesOtherBytesForAReleaseNumber) {
  SimFiles files;
  const auto publisher = *open_publisher(files, kNow);
  ASSERT_TRUE(publisher->publish({target("models/digits/1.manifest.json", "one")}, kNow));
  const auto again = publisher->publish({target("models/digits/1.manifest.json", "two")}, kNow);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::invalid);
}

TEST(Publisher, ReplacesADeltaThatWasEncodedAnewAndKeepsTheOldFile) {
  SimFiles files;
  const auto publisher = *open_publisher(files, kNow);
  const NewTarget before = target("models/digits/a-b.delta", "one");
  const NewTarget after = target("models/digits/a-b.delta", "two");
  ASSERT_TRUE(publisher->publish({before}, kNow));
  ASSERT_TRUE(publisher->publish({after}, kNow));
  EXPECT_EQ(see(files)->targets.files.at("models/digits/a-b.delta").sha256, after.file.sha256);
  // A device that refreshed before still finds what its metadata names.
  EXPECT_TRUE(*files.exists("cloud/repository/targets/" + trust::stored_target_path(before.file)));
}

TEST(Publisher, RefusesTargetsThatAreNotWhatTheySay) {
  SimFiles files;
  const auto publisher = *open_publisher(files, kNow);
  NewTarget wrong = target("models/digits/a.onnx", "model");
  wrong.bytes[0] ^= 1;
  EXPECT_EQ(publisher->publish({wrong}, kNow).error().code, Code::invalid);
  EXPECT_EQ(publisher->publish({target("../a", "model")}, kNow).error().code, Code::invalid);
  EXPECT_EQ(see(files)->timestamp.version, 1);
}

TEST(Publisher, ReopensWithTheSameKeysAndGoesOn) {
  SimFiles files;
  {
    const auto publisher = *open_publisher(files, kNow);
    ASSERT_TRUE(publisher->publish(release(1), kNow));
  }
  const auto before = *see(files);
  const auto operations = files.operations();
  const auto publisher = open_publisher(files, kNow + 1h);
  ASSERT_TRUE(publisher) << publisher.error().context;
  EXPECT_LT(files.operations() - operations, 16u);  // looks and syncs; one written file alone takes five
  ASSERT_TRUE((*publisher)->publish(release(2), kNow + 1h));
  const auto after = *see(files);
  EXPECT_EQ(after.root.keys, before.root.keys);
  EXPECT_EQ(after.targets.version, before.targets.version + 1);
  EXPECT_EQ(after.targets.files.size(), 4u);
}

TEST(Publisher, RefreshSignsAnewWhatWearsOut) {
  SimFiles files;
  const auto publisher = *open_publisher(files, kNow);
  EXPECT_EQ(*publisher->refresh(kNow + 15h), false);
  EXPECT_EQ(*publisher->refresh(kNow + 17h), true);
  auto seen = *see(files);
  EXPECT_EQ(seen.timestamp.version, 2);
  EXPECT_EQ(seen.snapshot.version, 1);
  EXPECT_EQ(seen.timestamp.expires, kNow + 17h + days(1));
  EXPECT_EQ(*publisher->refresh(kNow + days(5)), true);
  seen = *see(files);
  EXPECT_EQ(seen.snapshot.version, 2);
  EXPECT_EQ(seen.targets.version, 1);
  EXPECT_EQ(*publisher->refresh(kNow + days(61)), true);
  EXPECT_EQ(see(files)->targets.version, 2);
  EXPECT_EQ(*publisher->refresh(kNow + days(250)), true);
  seen = *see(files);
  EXPECT_EQ(seen.root.version, 2);
  EXPECT_EQ(seen.root.expires, kNow + days(250 + 365));
  EXPECT_EQ(publisher->root_json(), *read_file(files, "cloud/repository/metadata/2.root.json", 1 << 20));
}

TEST(Publisher, KeepsAYearOfRefreshesInBoundedSpace) {
  SimFiles files;
  const auto publisher = *open_publisher(files, kNow);
  for (int day = 1; day <= 365; ++day) ASSERT_TRUE(publisher->refresh(kNow + days(day)));
  EXPECT_TRUE(see(files));
  EXPECT_LT(files.list("cloud/repository/metadata")->size(), 48u);
}

TEST(Publisher, RefusesKeysThatTheMetadataDoesNotName) {
  SimFiles files;
  SimFiles other;
  ASSERT_TRUE(open_publisher(files, kNow));
  ASSERT_TRUE(open_publisher(other, kNow));
  ASSERT_TRUE(
      write_file_atomically(files, "cloud/keys/snapshot.key", *read_file(other, "cloud/keys/snapshot.key", 4096)));
  const auto publisher = open_publisher(files, kNow);
  ASSERT_FALSE(publisher);
  EXPECT_EQ(publisher.error().code, Code::invalid);
  EXPECT_NE(publisher.error().context.find("snapshot.key"), std::string::npos);
}

TEST(Publisher, RefusesToBeginAgainWhereMetadataIsGone) {
  SimFiles files;
  {
    const auto publisher = *open_publisher(files, kNow);
    ASSERT_TRUE(publisher->publish(release(1), kNow));
  }
  const auto names = *files.list("cloud/repository/metadata");
  for (const auto& name : names) {
    ASSERT_TRUE(files.remove("cloud/repository/metadata/" + name));
  }
  const auto publisher = open_publisher(files, kNow);
  ASSERT_FALSE(publisher);
  EXPECT_EQ(publisher.error().code, Code::invalid);
}

TEST(Publisher, GoesOnAfterTheDiskWasFull) {
  SimFiles files;
  const auto publisher = *open_publisher(files, kNow);
  ASSERT_TRUE(publisher->publish(release(1), kNow));
  files.set_capacity(1);
  const auto full = publisher->publish(release(2), kNow);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::no_space);
  files.set_capacity(1 << 30);
  ASSERT_TRUE(publisher->publish(release(2), kNow));
  EXPECT_EQ(see(files)->targets.files.size(), 4u);
}

// Every version of every file that any reader could ever have seen; a version has one content.
class Witness {
 public:
  void look(SimFiles& files) {
    const auto names = files.list("cloud/repository/metadata");
    if (!names) return;
    for (const std::string& name : *names) {
      if (!name.ends_with(".json")) continue;
      const auto bytes = read_file(files, "cloud/repository/metadata/" + name, 1 << 20);
      if (!bytes) continue;
      const auto json = parse_json(*bytes);
      ASSERT_TRUE(json) << name << " is torn";
      const std::string key = (*json)["signed"]["_type"].get<std::string>() + " " + (*json)["signed"]["version"].dump();
      const auto [entry, is_new] = seen_.emplace(key, *bytes);
      EXPECT_TRUE(is_new || entry->second == *bytes) << key << " has two contents";
    }
    if (const auto now = see(files)) {
      EXPECT_GE(now->timestamp.version, newest_timestamp_);
      newest_timestamp_ = now->timestamp.version;
    }
  }

 private:
  std::map<std::string, Bytes> seen_;
  std::int64_t newest_timestamp_ = 0;
};

TEST(PublisherPower, CutAtEveryOperationLeavesTheOldReleaseOrTheNewOneWhole) {
  for (std::uint64_t cut = 0;; ++cut) {
    SCOPED_TRACE("power cut at operation " + std::to_string(cut));
    SimFiles files;
    SimRandom random(1000 + cut);
    Witness witness;
    ASSERT_TRUE((*open_publisher(files, kNow))->publish(release(1), kNow));
    witness.look(files);
    const auto publisher = *open_publisher(files, kNow);
    files.cut_power_at(cut);
    const bool done = publisher->publish(release(2), kNow + 1h).has_value();
    witness.look(files);  // a reader sees more than what is durable
    files.reboot(random);
    witness.look(files);
    const auto booted = see(files);
    ASSERT_TRUE(booted) << booted.error().context;
    const auto sizes = booted->targets.files.size();
    EXPECT_TRUE(sizes == 2 || sizes == 4) << sizes;
    if (done) {
      EXPECT_EQ(sizes, 4u);
    }

    const auto again = open_publisher(files, kNow + 2h);
    ASSERT_TRUE(again) << again.error().context;
    witness.look(files);
    // Other content than the publication that was cut: no version may be reused for it.
    ASSERT_TRUE((*again)->publish(release(3), kNow + 2h));
    witness.look(files);
    ASSERT_TRUE((*again)->publish(release(2), kNow + 3h));
    witness.look(files);
    const auto last = see(files);
    ASSERT_TRUE(last) << last.error().context;
    EXPECT_EQ(last->targets.files.size(), 6u);
    if (testing::Test::HasFailure() || done) return;
  }
}

TEST(PublisherPower, CutAtEveryOperationOfTheFirstStartIsSurvived) {
  for (std::uint64_t cut = 0;; ++cut) {
    SCOPED_TRACE("power cut at operation " + std::to_string(cut));
    SimFiles files;
    SimRandom random(2000 + cut);
    Witness witness;
    files.cut_power_at(cut);
    const bool done = open_publisher(files, kNow).has_value();
    witness.look(files);
    files.reboot(random);
    witness.look(files);
    const auto again = open_publisher(files, kNow + 1h);
    ASSERT_TRUE(again) << again.error().context;
    ASSERT_TRUE((*again)->publish(release(1), kNow + 1h));
    witness.look(files);
    const auto seen = see(files);
    ASSERT_TRUE(seen) << seen.error().context;
    EXPECT_EQ(seen->targets.files.size(), 2u);
    if (testing::Test::HasFailure() || done) return;
  }
}

TEST(PublisherPower, CutDuringRecoveryAndRefreshIsSurvivedToo) {
  for (std::uint64_t cut = 0; cut < 80; ++cut) {
    SCOPED_TRACE("power cut at operation " + std::to_string(cut));
    SimFiles files;
    SimRandom random(3000 + cut);
    Witness witness;
    ASSERT_TRUE((*open_publisher(files, kNow))->publish(release(1), kNow));
    Time now = kNow;
    for (std::uint64_t round = 0; round < 4; ++round) {
      now += days(20 * static_cast<int>(round + 1));
      files.cut_power_at((cut * 7 + round * 13) % 60);
      if (const auto publisher = open_publisher(files, now)) {
        (void)(*publisher)->refresh(now);
        (void)(*publisher)->publish(release(static_cast<int>(round) + 2), now);
      }
      witness.look(files);
      files.reboot(random);
      witness.look(files);
      ASSERT_TRUE(see(files)) << see(files).error().context;
    }
    const auto publisher = open_publisher(files, now);
    ASSERT_TRUE(publisher) << publisher.error().context;
    ASSERT_TRUE((*publisher)->publish(release(9), now));
    witness.look(files);
    EXPECT_TRUE(see(files)->targets.files.contains("models/digits/9.onnx"));
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Publisher, SettlesAPublicationThatFailedHalfWayWithoutARestart) {
  for (std::int64_t capacity = 200; capacity < 12000; capacity += 97) {
    SimFiles files;
    Witness witness;
    const auto publisher = *open_publisher(files, kNow);
    ASSERT_TRUE(publisher->publish(release(1), kNow));
    witness.look(files);
    files.set_capacity(static_cast<std::uint64_t>(capacity));
    const auto cut = publisher->publish(release(2), kNow + 1h);
    witness.look(files);
    files.set_capacity(1 << 30);
    ASSERT_TRUE(publisher->publish(release(3), kNow + 2h));
    witness.look(files);
    ASSERT_TRUE(publisher->publish(release(2), kNow + 3h));
    witness.look(files);
    EXPECT_EQ(see(files)->targets.files.size(), 6u);
    if (cut) return;
  }
}

}  // namespace
}  // namespace hone::cloud
