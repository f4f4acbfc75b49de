#include "cloud/front/mqtt/password_file.hpp"

#include <gtest/gtest.h>

#include "platform/posix/posix.hpp"

namespace hone::cloud {
namespace {

class PasswordFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<Random> random_ = platform::make_system_random();
};

TEST_F(PasswordFileTest, AcceptsTheSecretThatWasSetAndNoOther) {
  PasswordFile file;
  ASSERT_TRUE(file.set("dev-1", "secret", *random_).value());
  EXPECT_TRUE(file.accepts("dev-1", "secret"));
  EXPECT_FALSE(file.accepts("dev-1", "Secret"));
  EXPECT_FALSE(file.accepts("dev-2", "secret"));
}

TEST_F(PasswordFileTest, SettingTheSameAgainChangesNothing) {
  PasswordFile file;
  ASSERT_TRUE(file.set("dev-1", "secret", *random_).value());
  const std::string before = file.to_text();
  EXPECT_FALSE(file.set("dev-1", "secret", *random_).value());
  EXPECT_EQ(file.to_text(), before);
  EXPECT_TRUE(file.set("dev-1", "other", *random_).value());
  EXPECT_FALSE(file.accepts("dev-1", "secret"));
}

TEST_F(PasswordFileTest, SurvivesBeingWrittenAndRead) {
  PasswordFile file;
  ASSERT_TRUE(file.set("dev-1", "one", *random_));
  ASSERT_TRUE(file.set("dev-2", "two", *random_));
  const PasswordFile read = PasswordFile::from_text(file.to_text());
  EXPECT_EQ(read.size(), 2u);
  EXPECT_TRUE(read.accepts("dev-2", "two"));
}

// Made with `mosquitto_passwd -b -c FILE dev-1 secret` of mosquitto 2.0.11.
TEST_F(PasswordFileTest, ReadsWhatMosquittoPasswdWrites) {
  const PasswordFile file = PasswordFile::from_text(
      "dev-1:$7$101$GSGeRiq+sV+SRfyC$ZjorNA4sC38/ga46/GVKIMrDSuKT7cb++5vTv4uzy/GAm4qu7qgqVx/32Ui/OIBrMbLFWs0RDdtY/W8kmVSdpQ==\n");
  EXPECT_TRUE(file.accepts("dev-1", "secret"));
  EXPECT_FALSE(file.accepts("dev-1", "wrong"));
}

TEST_F(PasswordFileTest, DropsLinesThatAreNone) {
  EXPECT_EQ(PasswordFile::from_text("").size(), 0u);
  EXPECT_EQ(PasswordFile::from_text("\n\nno colon\n:$7$\nuser:$6$abc$def\nuser:$7$x$$\nuser:$7$101$AAAA$BBBB").size(), 0u);
  EXPECT_EQ(PasswordFile::from_text("dev-1:$7$2000000000$AAAAAAAAAAAAAAAA$AAAA").size(), 0u);
}

TEST_F(PasswordFileTest, RefusesNamesThatTheFormatCannotHold) {
  PasswordFile file;
  for (const char* name : {"", "a:b", "a\nb", "a b", "#a"}) {
    const auto set = file.set(name, "secret", *random_);
    ASSERT_FALSE(set) << name;
    EXPECT_EQ(set.error().code, Code::invalid);
  }
  EXPECT_EQ(file.to_text(), "");
}

}  // namespace
}  // namespace hone::cloud
