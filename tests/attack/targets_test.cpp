// The attacker serves other files than those that are signed.
#include "attacked_repository.hpp"

namespace hone::attack {
namespace {

class ServedTargets : public AttackedRepository {
 protected:
  Bytes manifest_bytes(std::uint64_t seq) const { return release(seq)[1].bytes; }
};

TEST_F(ServedTargets, TheSignedManifestIsBelieved) {
  const auto manifest = device->manifest(pipeline, ReleaseSeq{1}, manifest_bytes(1));
  ASSERT_TRUE(manifest) << manifest.error().context;
  EXPECT_EQ((*manifest)->seq, ReleaseSeq{1});
  const auto model = device->find((*manifest)->full.path);
  ASSERT_TRUE(model);
  EXPECT_EQ((*model)->sha256, release(1)[0].file.sha256);
  EXPECT_TRUE(cloud_disk.exists("repository/" + edge::TrustedRepository::url_path(**model)).value());
}

TEST_F(ServedTargets, AlteredTargetIsRefusedWhereverTheByteChanges) {
  const Bytes good = manifest_bytes(1);
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes altered = good;
    altered[at] ^= 0x20;
    const auto manifest = device->manifest(pipeline, ReleaseSeq{1}, altered);
    ASSERT_FALSE(manifest) << at;
    EXPECT_EQ(manifest.error().code, Code::damaged);
  }
}

TEST_F(ServedTargets, CutOrPaddedTargetIsRefused) {
  Bytes bytes = manifest_bytes(1);
  bytes.push_back(' ');
  EXPECT_EQ(device->manifest(pipeline, ReleaseSeq{1}, bytes).error().code, Code::damaged);
  bytes.resize(bytes.size() - 2);
  EXPECT_EQ(device->manifest(pipeline, ReleaseSeq{1}, bytes).error().code, Code::damaged);
  EXPECT_FALSE(device->manifest(pipeline, ReleaseSeq{1}, {}));
}

TEST_F(ServedTargets, TargetThatIsNotListedIsRefused) {
  EXPECT_EQ(device->find("models/digits/evil.onnx").error().code, Code::untrusted);
  EXPECT_EQ(device->find("").error().code, Code::untrusted);
  EXPECT_EQ(device->manifest(pipeline, ReleaseSeq{2}, manifest_bytes(2)).error().code, Code::untrusted);
}

TEST_F(ServedTargets, EarlierManifestUnderALaterNumberIsRefused) {
  publish(2);
  ASSERT_TRUE(refresh());
  EXPECT_FALSE(device->manifest(pipeline, ReleaseSeq{2}, manifest_bytes(1)));
  EXPECT_TRUE(device->manifest(pipeline, ReleaseSeq{2}, manifest_bytes(2)));
}

// Signed, but in the wrong place: a mistake of the cloud must not cross pipelines either.
TEST_F(ServedTargets, ManifestOfAnotherPipelineOrReleaseIsRefused) {
  const Bytes bytes = manifest_bytes(7);
  const auto misplaced = [&](const std::string& path) {
    return cloud::NewTarget{{path, bytes.size(), sha256(bytes)}, bytes};
  };
  const PipelineName letters("letters");
  ASSERT_TRUE(publisher->publish(
      {misplaced(wire::manifest_path(letters, ReleaseSeq{7})), misplaced(wire::manifest_path(pipeline, ReleaseSeq{8}))},
      now));
  ASSERT_TRUE(refresh());
  EXPECT_EQ(device->manifest(letters, ReleaseSeq{7}, bytes).error().code, Code::untrusted);
  EXPECT_EQ(device->manifest(pipeline, ReleaseSeq{8}, bytes).error().code, Code::untrusted);
}

TEST_F(ServedTargets, SignedBytesThatAreNoManifestAreRefused) {
  const Bytes bytes = to_bytes("not a manifest");
  ASSERT_TRUE(
      publisher->publish({{{wire::manifest_path(pipeline, ReleaseSeq{9}), bytes.size(), sha256(bytes)}, bytes}}, now));
  ASSERT_TRUE(refresh());
  EXPECT_EQ(device->manifest(pipeline, ReleaseSeq{9}, bytes).error().code, Code::untrusted);
}

TEST_F(ServedTargets, PathThatLeavesTheRepositoryIsRefused) {
  forge({.timestamp = [](Json&) {},
         .snapshot = [](Json&) {},
         .targets =
             [](Json& targets) {
               targets["targets"]["../../etc/passwd"] = {{"length", 1}, {"hashes", {{"sha256", sha256({}).hex()}}}};
             }});
  EXPECT_EQ(refused(), Code::untrusted);
}

}  // namespace
}  // namespace hone::attack
