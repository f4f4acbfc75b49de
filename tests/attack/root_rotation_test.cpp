// Roots: who may sign the next one, and what a rotation heals.
#include "attacked_repository.hpp"

namespace hone::attack {
namespace {

using RootRotation = AttackedRepository;

void give_role(Json& root, std::string_view role, const trust::SigningKey& key) {
  root["keys"][key.id().value] = trust::to_json(key.public_key());
  root["roles"][std::string(role)]["keyids"] = Json::array({key.id().value});
}

TEST_F(RootRotation, RootSignedByOldAndNewKeyIsFollowed) {
  const auto next = own_key();
  rotate_root([&](Json& root) { give_role(root, "root", next); }, {stolen(RoleName::root), next});
  ASSERT_TRUE(refresh());
  // From here only the new key counts, also after a reboot.
  reboot_device();
  rotate_root([](Json&) {}, {stolen(RoleName::root)});
  EXPECT_EQ(refused(), Code::untrusted);
  mirror.erase("metadata/3.root.json");
  rotate_root([](Json&) {}, {next});
  EXPECT_TRUE(refresh());
}

TEST_F(RootRotation, RootSignedOnlyByItsNewKeyIsRefused) {
  const auto evil = own_key();
  rotate_root([&](Json& root) { give_role(root, "root", evil); }, {evil});
  EXPECT_EQ(refused(), Code::untrusted);
}

TEST_F(RootRotation, RootSignedOnlyByTheOldKeyIsRefused) {
  const auto next = own_key();
  rotate_root([&](Json& root) { give_role(root, "root", next); }, {stolen(RoleName::root)});
  EXPECT_EQ(refused(), Code::untrusted);
}

TEST_F(RootRotation, ChainWithAGapIsRefused) {
  const auto skip = [](Json& root) { root["version"] = 3; };
  rotate_root(skip, {stolen(RoleName::root)});
  // Under its own name nobody asks for it yet.
  ASSERT_TRUE(refresh());
  // Under the name that is asked for it has the wrong version.
  mirror["metadata/2.root.json"] = mirror.at("metadata/3.root.json");
  EXPECT_EQ(refused(), Code::untrusted);
}

TEST_F(RootRotation, OldRootUnderTheNextNameIsRefused) {
  mirror["metadata/2.root.json"] = first_root;
  EXPECT_EQ(refused(), Code::untrusted);
}

TEST_F(RootRotation, LongChainIsFollowedToItsEnd) {
  auto key = stolen(RoleName::root);
  for (int i = 0; i < 20; ++i) {
    const auto next = own_key();
    rotate_root([&](Json& root) { give_role(root, "root", next); }, {key, next});
    key = next;
  }
  ASSERT_TRUE(refresh());
  EXPECT_EQ(asked.front(), "metadata/2.root.json");
  EXPECT_EQ(asked[20], "metadata/22.root.json");
}

TEST_F(RootRotation, ChainWithoutEndIsWalkedInBoundedSteps) {
  const auto key = stolen(RoleName::root);
  Json root = content("metadata/1.root.json");
  for (int version = 2; version <= 300; ++version) {
    root["version"] = version;
    mirror["metadata/" + std::to_string(version) + ".root.json"] = sign(root, {key});
  }
  EXPECT_EQ(refused(), Code::unavailable);
  EXPECT_EQ(asked.size(), 256u);
  EXPECT_TRUE(refresh());  // goes on where it was
}

// A thief of the timestamp and snapshot keys drives their versions to the end of all numbers, so
// that no honest version is ever high enough. New keys make the device forget (section 5.3.11).
TEST_F(RootRotation, HealsAFastForwardAttack) {
  const std::int64_t huge = 9'000'000'000'000'000'000;
  forge({.timestamp = [=](Json& json) { json["version"] = huge; },
         .snapshot = [=](Json& json) { json["version"] = huge; },
         .targets = [](Json&) {}});
  ASSERT_TRUE(refresh());
  mirror.clear();
  publish(2);
  EXPECT_EQ(refused(), Code::older_than_installed);

  const auto timestamp_key = own_key();
  const auto snapshot_key = own_key();
  rotate_root(
      [&](Json& root) {
        give_role(root, "timestamp", timestamp_key);
        give_role(root, "snapshot", snapshot_key);
      },
      {stolen(RoleName::root)});
  const Json snapshot = current(RoleName::snapshot);
  Json timestamp = current(RoleName::timestamp);
  const Bytes snapshot_bytes = sign(snapshot, {snapshot_key});
  timestamp["meta"]["snapshot.json"] = {{"version", snapshot["version"]}};
  mirror["metadata/" + snapshot["version"].dump() + ".snapshot.json"] = snapshot_bytes;
  mirror["metadata/timestamp.json"] = sign(timestamp, {timestamp_key});
  const auto healed = refresh();
  ASSERT_TRUE(healed) << healed.error().context;
  EXPECT_TRUE(device_knows(2));
}

TEST_F(RootRotation, RevokedTargetsKeyTakesItsTargetsAway) {
  const auto next = own_key();
  rotate_root([&](Json& root) { give_role(root, "targets", next); }, {stolen(RoleName::root)});
  EXPECT_EQ(refused(), Code::untrusted);  // the repository still serves targets of the old key
  EXPECT_FALSE(device_knows(1));
  reboot_device();
  EXPECT_FALSE(device_knows(1));
}

TEST_F(RootRotation, DamagedRootFallsBackToTheFirstAndWalksTheChainAgain) {
  const auto next = own_key();
  rotate_root([&](Json& root) { give_role(root, "root", next); }, {stolen(RoleName::root), next});
  ASSERT_TRUE(refresh());
  ASSERT_TRUE(write_file_atomically(device_disk, "trust/root.json", as_bytes("{")));
  reboot_device();
  EXPECT_TRUE(device_knows(1));
  ASSERT_TRUE(refresh());
  EXPECT_EQ(asked.front(), "metadata/2.root.json");
}

TEST_F(RootRotation, RootThatIsNotSignedByItselfIsNoAnchor) {
  const auto opened =
      edge::TrustedRepository::open(device_disk, "elsewhere", sign(content("metadata/1.root.json"), {own_key()}));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::untrusted);
}

}  // namespace
}  // namespace hone::attack
