#include "shared/trust/metadata.hpp"

#include <gtest/gtest.h>

#include "platform/sim/sim.hpp"
#include "shared/trust/verifier.hpp"

namespace hone::trust {
namespace {

const Time kExpires = *from_rfc3339("2030-01-02T03:04:05Z");

Targets some_targets() {
  Targets targets{.version = 4,
                  .expires = kExpires,
                  .files = {},
                  .delegations = {{"keys", Json::object()}, {"roles", Json::array()}}};
  targets.files["models/digits/a.onnx"] = {"models/digits/a.onnx", 12, sha256(as_bytes("a"))};
  return targets;
}

TEST(Metadata, RootSurvivesJson) {
  platform::SimRandom random(3);
  const auto key = SigningKey::generate(random);
  Root root{.version = 2,
            .expires = kExpires,
            .consistent_snapshot = true,
            .keys = {{key.id(), key.public_key()}},
            .roles = {}};
  for (const RoleName role : {RoleName::root, RoleName::timestamp, RoleName::snapshot, RoleName::targets}) {
    root.roles[role] = {.keys = {key.id()}, .threshold = 1};
  }
  const auto back = root_from(to_json(root));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->version, 2);
  EXPECT_EQ(back->expires, kExpires);
  EXPECT_EQ(back->keys, root.keys);
  EXPECT_EQ(back->roles.at(RoleName::snapshot).keys, root.roles.at(RoleName::snapshot).keys);
}

TEST(Metadata, TargetsSurviveJsonWithTheirDelegations) {
  const auto back = targets_from(to_json(some_targets()));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->files.at("models/digits/a.onnx").sha256, sha256(as_bytes("a")));
  EXPECT_EQ(back->files.at("models/digits/a.onnx").bytes, 12u);
  EXPECT_EQ(back->delegations, some_targets().delegations);
}

TEST(Metadata, SnapshotAndTimestampMayLeaveLengthAndHashOut) {
  const Snapshot snapshot{
      .version = 3, .expires = kExpires, .files = {{"targets.json", {.version = 4, .length_bytes = {}, .sha256 = {}}}}};
  const auto back = snapshot_from(to_json(snapshot));
  ASSERT_TRUE(back);
  EXPECT_FALSE(back->files.at("targets.json").length_bytes);
  const Timestamp timestamp{
      .version = 9, .expires = kExpires, .snapshot = {.version = 3, .length_bytes = 5, .sha256 = sha256({})}};
  EXPECT_EQ(timestamp_from(to_json(timestamp))->snapshot.length_bytes, 5u);
}

TEST(Metadata, RefusesWhatTheSpecificationForbids) {
  const auto refused = [](const char* pointer, const Json& value) {
    Json json = to_json(some_targets());
    json[Json::json_pointer(pointer)] = value;
    return !targets_from(json);
  };
  EXPECT_FALSE(refused("/version", 5));  // the helper itself lets a good value pass
  EXPECT_TRUE(refused("/version", 0));
  EXPECT_TRUE(refused("/version", "5"));
  EXPECT_TRUE(refused("/_type", "snapshot"));
  EXPECT_TRUE(refused("/spec_version", "2.0.0"));
  EXPECT_TRUE(refused("/expires", "2030-01-02 03:04:05"));
  EXPECT_TRUE(refused("/delegations", 3));
  EXPECT_TRUE(refused("/targets", Json::array()));
  EXPECT_TRUE(refused("/targets/x", {{"length", -1}, {"hashes", {{"sha256", sha256({}).hex()}}}}));
  EXPECT_TRUE(refused("/targets/x", {{"length", 1}, {"hashes", {{"sha256", "00"}}}}));
  EXPECT_TRUE(refused("/targets/x", {{"length", 1}}));
}

TEST(Metadata, RefusesPathsThatLeaveTheirFolder) {
  EXPECT_TRUE(is_safe_target_path("models/digits/7.manifest.json"));
  EXPECT_TRUE(is_safe_target_path("a..b/c"));
  for (const std::string path : {"", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "./a", "a\nb"}) {
    EXPECT_FALSE(is_safe_target_path(path)) << path;
  }
  EXPECT_FALSE(is_safe_target_path(std::string(1025, 'a')));
}

TEST(Metadata, StoredTargetPathPutsTheHashBeforeTheName) {
  const auto hash = sha256(as_bytes("a"));
  EXPECT_EQ(stored_target_path({"models/digits/a.onnx", 1, hash}), "models/digits/" + hash.hex() + ".a.onnx");
  EXPECT_EQ(stored_target_path({"a", 1, hash}), hash.hex() + ".a");
}

TEST(Metadata, CheckNamedComparesLengthHashAndVersion) {
  const Bytes bytes = to_bytes("snapshot");
  const MetaFile good{.version = 2, .length_bytes = bytes.size(), .sha256 = sha256(bytes)};
  EXPECT_TRUE(check_named(good, 2, bytes, "snapshot.json"));
  EXPECT_FALSE(check_named(good, 3, bytes, "snapshot.json"));
  EXPECT_FALSE(check_named(good, 2, to_bytes("snapshoT"), "snapshot.json"));
  EXPECT_FALSE(check_named(good, 2, to_bytes("snapshot "), "snapshot.json"));
  EXPECT_TRUE(check_named({.version = 2, .length_bytes = {}, .sha256 = {}}, 2, bytes, "snapshot.json"));
}

}  // namespace
}  // namespace hone::trust
