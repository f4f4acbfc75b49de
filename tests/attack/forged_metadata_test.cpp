// The attacker makes metadata of his own: without keys, with the wrong ones, with too few, or
// with so much of it that the device chokes.
#include "attacked_repository.hpp"

namespace hone::attack {
namespace {

using ForgedMetadata = AttackedRepository;

TEST_F(ForgedMetadata, ArbitraryInstallationOfUnsignedMetadataIsRefused) {
  forge({});
  for (auto& [path, bytes] : mirror) bytes = sign((*parse_json(bytes))["signed"], {});
  EXPECT_EQ(refused(), Code::untrusted);
}

TEST_F(ForgedMetadata, AlteredMetadataIsRefusedWhereverTheByteChanges) {
  publish(2);
  const Mirror real = copy();
  for (const std::string path : {"metadata/timestamp.json", "metadata/3.snapshot.json", "metadata/3.targets.json"}) {
    const Bytes& bytes = real.at(path);
    for (std::size_t at = 0; at < bytes.size(); at += 7) {
      mirror[path] = bytes;
      mirror[path][at] ^= 0x01;
      // A changed hex digit may change its case only, in a signature; nothing else may pass.
      if (refresh()) {
        EXPECT_TRUE(device_knows(2));
        EXPECT_NE(path, "metadata/3.targets.json") << at;
      } else {
        EXPECT_FALSE(device_knows(2)) << path << " " << at;
      }
    }
    mirror.clear();
  }
  EXPECT_TRUE(refresh());
  EXPECT_TRUE(device_knows(2));
}

TEST_F(ForgedMetadata, SignedWithTheWrongKeyIsRefused) {
  publish(2);
  const Json timestamp = current(RoleName::timestamp);
  mirror["metadata/timestamp.json"] = sign(timestamp, {own_key()});
  EXPECT_EQ(refused(), Code::untrusted);
  // A key of the repository, of another role.
  mirror["metadata/timestamp.json"] = sign(timestamp, {stolen(RoleName::targets)});
  EXPECT_EQ(refused(), Code::untrusted);
  mirror.clear();
  EXPECT_TRUE(refresh());
}

TEST_F(ForgedMetadata, OwnSignatureUnderTheRightKeyIdIsRefused) {
  publish(2);
  Json envelope = *parse_json(copy().at("metadata/timestamp.json"));
  envelope["signed"]["version"] = 99;
  const auto canonical = trust::envelope_from(dump_bytes(envelope))->canonical_content;
  envelope["signatures"][0]["sig"] = to_hex(own_key().sign(as_bytes(canonical)));
  mirror["metadata/timestamp.json"] = dump_bytes(envelope);
  EXPECT_EQ(refused(), Code::untrusted);
}

// The stolen timestamp and snapshot keys alone do not let an attacker name a target.
TEST_F(ForgedMetadata, TargetsOfAThiefOfOnlineKeysAreRefused) {
  forge({.timestamp = [](Json&) {}, .snapshot = [](Json&) {}, .targets = [](Json&) {}});
  Json targets = content("metadata/3.targets.json");
  const Bytes evil = sign(targets, {own_key()});
  mirror["metadata/3.targets.json"] = evil;
  Json snapshot = content("metadata/3.snapshot.json");
  snapshot["meta"]["targets.json"] = {{"version", 3}};
  const Bytes snapshot_bytes = sign(snapshot, {stolen(RoleName::snapshot)});
  mirror["metadata/3.snapshot.json"] = snapshot_bytes;
  Json timestamp = content("metadata/timestamp.json");
  timestamp["meta"]["snapshot.json"] = {{"version", 3}};
  mirror["metadata/timestamp.json"] = sign(timestamp, {stolen(RoleName::timestamp)});
  EXPECT_EQ(refused(), Code::untrusted);
  EXPECT_TRUE(device_knows(1));
}

TEST_F(ForgedMetadata, TooFewSignaturesAreRefused) {
  const auto second = own_key();
  rotate_root(
      [&](Json& root) {
        root["keys"][second.id().value] = trust::to_json(second.public_key());
        root["roles"]["timestamp"]["keyids"].push_back(second.id().value);
        root["roles"]["timestamp"]["threshold"] = 2;
      },
      {stolen(RoleName::root)});
  EXPECT_EQ(refused(), Code::untrusted);  // one signature, two are needed
  Json timestamp = current(RoleName::timestamp);
  mirror["metadata/timestamp.json"] = sign(timestamp, {stolen(RoleName::timestamp), second});
  EXPECT_TRUE(refresh());
}

TEST_F(ForgedMetadata, OneKeyUnderTwoIdsCountsOnce) {
  rotate_root(
      [&](Json& root) {
        root["keys"]["another name"] = trust::to_json(stolen(RoleName::timestamp).public_key());
        root["roles"]["timestamp"]["keyids"].push_back("another name");
        root["roles"]["timestamp"]["threshold"] = 2;
      },
      {stolen(RoleName::root)});
  Json envelope = *parse_json(copy().at("metadata/timestamp.json"));
  Json again = envelope["signatures"][0];
  again["keyid"] = "another name";
  envelope["signatures"].push_back(again);
  mirror["metadata/timestamp.json"] = dump_bytes(envelope);
  EXPECT_EQ(refused(), Code::untrusted);
}

TEST_F(ForgedMetadata, OneSignatureTwiceCountsOnce) {
  rotate_root([&](Json& root) { root["roles"]["timestamp"]["threshold"] = 2; }, {stolen(RoleName::root)});
  Json envelope = *parse_json(copy().at("metadata/timestamp.json"));
  envelope["signatures"].push_back(envelope["signatures"][0]);
  mirror["metadata/timestamp.json"] = dump_bytes(envelope);
  EXPECT_EQ(refused(), Code::untrusted);
}

TEST_F(ForgedMetadata, EndlessDataIsCutOff) {
  publish(2);
  const Bytes endless(20u << 20, 'x');
  for (const std::string path :
       {"metadata/2.root.json", "metadata/timestamp.json", "metadata/3.snapshot.json", "metadata/3.targets.json"}) {
    mirror.clear();
    mirror[path] = endless;
    EXPECT_EQ(refused(), Code::damaged) << path;  // as an answer that was cut short: fetched again, less and less often
    EXPECT_LT(bytes_fetched, 64u << 10) << path;
  }
}

// Not even a fetcher that ignores its limit lets more through.
TEST_F(ForgedMetadata, EndlessDataFromACarelessFetcherIsRefused) {
  publish(2);
  const edge::FetchFile careless = [this](const std::string& path, std::uint64_t) -> Result<Bytes> {
    auto bytes = read_file(cloud_disk, "repository/" + path, 1 << 24);
    if (bytes && path == "metadata/3.targets.json") bytes->resize(9u << 20, ' ');
    return bytes;
  };
  const auto refreshed = device->refresh(careless, now);
  ASSERT_FALSE(refreshed);
  EXPECT_EQ(refreshed.error().code, Code::untrusted);
}

TEST_F(ForgedMetadata, ALengthBeyondAllBoundsIsRefusedBeforeAFetch) {
  forge({.timestamp = [](Json& t) { t["meta"]["snapshot.json"]["length"] = 1'000'000'000'000; },
         .snapshot = [](Json&) {},
         .targets = [](Json&) {}});
  EXPECT_EQ(refused(), Code::untrusted);
  EXPECT_EQ(asked.back(), "metadata/timestamp.json");
}

}  // namespace
}  // namespace hone::attack
