#include "cloud/store/files/blobs.hpp"

#include <gtest/gtest.h>

#include "platform/sim/sim.hpp"

namespace hone::cloud {
namespace {

TEST(Blobs, GiveBackWhatWasPutUnderItsHash) {
  platform::SimFiles files;
  auto blobs = open_blob_folder(files, "blobs").value();
  const Bytes bytes = to_bytes("a model");
  const auto hash = blobs->put(bytes);
  ASSERT_TRUE(hash.has_value()) << hash.error().context;
  EXPECT_EQ(hash->sha256, sha256(bytes));
  EXPECT_EQ(blobs->get(*hash, 100).value(), bytes);
  EXPECT_EQ(blobs->put(bytes).value(), *hash);
  EXPECT_TRUE(blobs->has(*hash).value());
}

TEST(Blobs, SayNotFoundForAnUnknownHash) {
  platform::SimFiles files;
  auto blobs = open_blob_folder(files, "blobs").value();
  const BlobHash nothing{sha256(as_bytes("nothing"))};
  EXPECT_EQ(blobs->get(nothing, 100).error().code, Code::not_found);
  EXPECT_FALSE(blobs->has(nothing).value());
}

TEST(Blobs, RefuseToReadMoreThanAsked) {
  platform::SimFiles files;
  auto blobs = open_blob_folder(files, "blobs").value();
  const auto hash = blobs->put(Bytes(101, 7)).value();
  EXPECT_EQ(blobs->get(hash, 100).error().code, Code::invalid);
}

TEST(Blobs, FindBytesThatRottedOnDisk) {
  platform::SimFiles files;
  auto blobs = open_blob_folder(files, "blobs").value();
  const auto hash = blobs->put(to_bytes("a model")).value();
  const std::string hex = hash.hex();
  auto file = files.open("blobs/" + hex.substr(0, 2) + "/" + hex.substr(2, 2) + "/" + hex, OpenMode::write).value();
  ASSERT_TRUE(file->write_at(0, to_bytes("A")).has_value());
  EXPECT_EQ(blobs->get(hash, 100).error().code, Code::damaged);
}

TEST(Blobs, LeaveNothingBehindWhenTheDiskIsFull) {
  platform::SimFiles files;
  auto blobs = open_blob_folder(files, "blobs").value();
  files.set_capacity(10);
  EXPECT_EQ(blobs->put(Bytes(100, 7)).error().code, Code::no_space);
  EXPECT_TRUE(files.list("blobs/tmp").value().empty());
}

TEST(Blobs, AreWholeOrAbsentAfterAPowerCutAtEveryOperation) {
  const Bytes bytes(5000, 42);
  const BlobHash hash{sha256(bytes)};
  for (std::uint64_t cut = 1; cut < 12; ++cut) {
    platform::SimFiles files;
    platform::SimRandom random(cut);
    auto blobs = open_blob_folder(files, "blobs").value();
    files.cut_power_at(cut);
    const bool done = blobs->put(bytes).has_value();
    files.reboot(random);
    blobs = open_blob_folder(files, "blobs").value();
    const auto found = blobs->get(hash, 1 << 20);
    if (found) {
      EXPECT_EQ(*found, bytes) << "cut at " << cut;
    } else {
      EXPECT_EQ(found.error().code, Code::not_found) << "cut at " << cut << ": " << found.error().context;
      EXPECT_FALSE(done) << "cut at " << cut;
    }
    EXPECT_TRUE(files.list("blobs/tmp").value().empty());
  }
}

}  // namespace
}  // namespace hone::cloud
