// The attacker shows what was once true: frozen, rolled back, or mixed from several times.
#include "attacked_repository.hpp"

namespace hone::attack {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

using OldMetadata = AttackedRepository;

TEST_F(OldMetadata, UnchangedRepositoryCostsOneQuestionAndOneSmallFile) {
  ASSERT_TRUE(refresh());
  EXPECT_EQ(asked, (std::vector<std::string>{"metadata/2.root.json", "metadata/timestamp.json"}));
  EXPECT_LT(bytes_fetched, 1024u);
  reboot_device();
  ASSERT_TRUE(refresh());
  EXPECT_EQ(asked.size(), 2u);
  EXPECT_TRUE(device_knows(1));
}

TEST_F(OldMetadata, FreezeIsNoticedWhenTheTimestampExpires) {
  const Mirror frozen = copy();
  now += 23h;
  EXPECT_TRUE(publisher->refresh(now));
  publish(2);
  mirror = frozen;
  EXPECT_TRUE(refresh());  // not yet expired: nobody can tell
  now += 2h;
  EXPECT_EQ(refused(), Code::untrusted);
  EXPECT_TRUE(device_knows(1));  // the device goes on with what it has
  mirror.clear();
  EXPECT_TRUE(refresh());
  EXPECT_TRUE(device_knows(2));
}

TEST_F(OldMetadata, EachRoleThatExpiredIsRefused) {
  const Json expired = "2026-11-22T23:59:59Z";
  const auto expire = [&](Json& json) { json["expires"] = expired; };
  const auto keep = [](Json&) {};
  forge({.timestamp = expire, .snapshot = keep, .targets = keep});
  EXPECT_EQ(refused(), Code::untrusted);
  mirror.clear();
  forge({.timestamp = keep, .snapshot = expire, .targets = keep});
  EXPECT_EQ(refused(), Code::untrusted);
  mirror.clear();
  publish(2);
  forge({.timestamp = keep, .snapshot = keep, .targets = expire});
  EXPECT_EQ(refused(), Code::untrusted);
  EXPECT_FALSE(device_knows(2));
}

TEST_F(OldMetadata, ExpiredRootIsRefused) {
  now += days(366);
  EXPECT_EQ(refused(), Code::untrusted);
  // An expired root in the middle of the chain is fine (section 5.3.6), the last one counts.
  ASSERT_TRUE(*publisher->refresh(now));
  EXPECT_TRUE(refresh());
}

TEST_F(OldMetadata, ReplayedTimestampIsRefused) {
  const Mirror old = copy();
  publish(2);
  ASSERT_TRUE(refresh());
  mirror = {{"metadata/timestamp.json", old.at("metadata/timestamp.json")}};
  EXPECT_EQ(refused(), Code::older_than_installed);
  reboot_device();
  EXPECT_EQ(refused(), Code::older_than_installed);
  EXPECT_TRUE(device_knows(2));
}

// With the stolen timestamp key he can name an older snapshot under a higher version.
TEST_F(OldMetadata, ReplayedSnapshotIsRefused) {
  const Json old = current(RoleName::timestamp)["meta"];
  publish(2);
  ASSERT_TRUE(refresh());
  Json timestamp = current(RoleName::timestamp);
  timestamp["version"] = 9;
  timestamp["meta"] = old;
  mirror["metadata/timestamp.json"] = sign(timestamp, {stolen(RoleName::timestamp)});
  EXPECT_EQ(refused(), Code::older_than_installed);
  reboot_device();
  EXPECT_EQ(refused(), Code::older_than_installed);
}

TEST_F(OldMetadata, ReplayedSnapshotIsRefusedEvenWhenTheHeldTimestampIsDamaged) {
  const Mirror old = copy();
  publish(2);
  ASSERT_TRUE(refresh());
  ASSERT_TRUE(write_file_atomically(device_disk, "trust/timestamp.json", as_bytes("rotten")));
  reboot_device();
  mirror = {{"metadata/timestamp.json", old.at("metadata/timestamp.json")}};
  EXPECT_EQ(refused(), Code::older_than_installed);
  mirror.clear();
  EXPECT_TRUE(refresh());
}

// With the stolen snapshot key as well he can name older targets.
TEST_F(OldMetadata, ReplayedTargetsAreRefused) {
  const Json old = current(RoleName::snapshot)["meta"]["targets.json"];
  publish(2);
  ASSERT_TRUE(refresh());
  forge({.timestamp = [](Json&) {},
         .snapshot = [&](Json& snapshot) { snapshot["meta"]["targets.json"] = old; },
         .targets = [](Json&) {}});
  EXPECT_EQ(refused(), Code::older_than_installed);
  EXPECT_TRUE(device_knows(2));
}

TEST_F(OldMetadata, SnapshotThatLeavesTargetsOutIsRefused) {
  forge({.timestamp = [](Json&) {},
         .snapshot =
             [](Json& snapshot) {
               snapshot["meta"] = {{"other.json", snapshot["meta"]["targets.json"]}};
             },
         .targets = [](Json&) {}});
  EXPECT_EQ(refused(), Code::older_than_installed);
}

TEST_F(OldMetadata, MixOfSnapshotsAndTargetsIsRefused) {
  publish(2);
  const Mirror second = copy();
  publish(3);
  const Mirror third = copy();
  mirror = {{"metadata/4.snapshot.json", second.at("metadata/3.snapshot.json")}};
  EXPECT_EQ(refused(), Code::untrusted);
  mirror = {{"metadata/4.targets.json", second.at("metadata/3.targets.json")}};
  EXPECT_EQ(refused(), Code::untrusted);
  // The right content under a layout of its own is not what was named either: longer, it is cut off.
  mirror = {{"metadata/4.targets.json", to_bytes((*parse_json(third.at("metadata/4.targets.json"))).dump(1))}};
  EXPECT_EQ(refused(), Code::damaged);
  EXPECT_FALSE(device_knows(2));
  EXPECT_FALSE(device_knows(3));
  mirror.clear();
  EXPECT_TRUE(refresh());
  EXPECT_TRUE(device_knows(3));
}

TEST_F(OldMetadata, RoleUnderAnothersNameIsRefused) {
  publish(2);
  const Mirror real = copy();
  mirror = {{"metadata/timestamp.json", real.at("metadata/3.snapshot.json")}};
  EXPECT_EQ(refused(), Code::untrusted);
  mirror = {{"metadata/2.root.json", real.at("metadata/timestamp.json")}};
  EXPECT_EQ(refused(), Code::untrusted);
}

TEST_F(OldMetadata, MissingFilesAreNoNewsAndNoHarm) {
  repository_reachable = false;
  EXPECT_EQ(refused(), Code::unavailable);
  EXPECT_TRUE(device_knows(1));
}

TEST_F(OldMetadata, PowerCutAtEveryOperationOfARefreshKeepsVersionsFromGoingBack) {
  const Mirror old = copy();
  publish(2);
  for (std::uint64_t cut = 0;; ++cut) {
    SCOPED_TRACE("power cut at operation " + std::to_string(cut));
    platform::SimFiles disk;
    platform::SimRandom dice(500 + cut);
    const auto fetch_from = [](const Mirror& from) -> edge::FetchFile {
      return [&from](const std::string& path, std::uint64_t) -> Result<Bytes> {
        const auto file = from.find(path);
        if (file == from.end()) return fail(Code::not_found, path);
        return file->second;
      };
    };
    const Mirror fresh = copy();
    {
      auto opened = edge::TrustedRepository::open(disk, "trust", first_root);
      ASSERT_TRUE(opened);
      ASSERT_TRUE((*opened)->refresh(fetch_from(old), now));
      disk.cut_power_at(cut);
      if ((*opened)->refresh(fetch_from(fresh), now)) return;
      EXPECT_TRUE((*opened)->find(wire::manifest_path(pipeline, ReleaseSeq{1})));
    }
    disk.reboot(dice);
    auto opened = edge::TrustedRepository::open(disk, "trust", first_root);
    ASSERT_TRUE(opened) << opened.error().context;
    EXPECT_TRUE((*opened)->find(wire::manifest_path(pipeline, ReleaseSeq{1})));
    const auto refreshed = (*opened)->refresh(fetch_from(fresh), now);
    ASSERT_TRUE(refreshed) << refreshed.error().context;
    EXPECT_TRUE((*opened)->find(wire::manifest_path(pipeline, ReleaseSeq{2})));
    EXPECT_FALSE((*opened)->refresh(fetch_from(old), now));
  }
}

}  // namespace
}  // namespace hone::attack
