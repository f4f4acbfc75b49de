#include "cloud/publish/signing_keys.hpp"

#include <gtest/gtest.h>

#include "platform/sim/sim.hpp"

namespace hone::cloud {
namespace {

using trust::RoleName;

class SigningKeysTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(files.make_folders("keys")); }
  platform::SimFiles files;
  platform::SimRandom random{5};
};

TEST_F(SigningKeysTest, AreMadeOnceAndReadBack) {
  const auto made = read_or_make_signing_keys(files, "keys", random);
  ASSERT_TRUE(made) << made.error().context;
  const auto again = read_or_make_signing_keys(files, "keys", random);
  const auto read = read_signing_keys(files, "keys");
  ASSERT_TRUE(again && read);
  for (const RoleName role : {RoleName::root, RoleName::targets, RoleName::snapshot, RoleName::timestamp}) {
    EXPECT_EQ(made->at(role).id(), again->at(role).id());
    EXPECT_EQ(made->at(role).id(), read->at(role).id());
  }
  EXPECT_NE(made->at(RoleName::root).id(), made->at(RoleName::timestamp).id());
}

TEST_F(SigningKeysTest, NameTheFileThatIsMissingOrBroken) {
  ASSERT_TRUE(read_or_make_signing_keys(files, "keys", random));
  ASSERT_TRUE(write_file_atomically(files, "keys/targets.key", as_bytes("{\"keytype\":\"rsa\"}")));
  const auto broken = read_or_make_signing_keys(files, "keys", random);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Code::invalid);
  EXPECT_NE(broken.error().context.find("keys/targets.key"), std::string::npos);
  ASSERT_TRUE(files.remove("keys/targets.key"));
  const auto missing = read_signing_keys(files, "keys");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().context.find("keys/targets.key"), std::string::npos);
}

}  // namespace
}  // namespace hone::cloud
