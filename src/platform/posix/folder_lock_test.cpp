#include "platform/posix/folder_lock.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

namespace hone::platform {
namespace {

class FolderLockTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "hone-lock-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

TEST_F(FolderLockTest, ASecondHolderIsRefusedAndToldWho) {
  const auto first = FolderLock::take(folder_, "hone-cloud", "--data");
  ASSERT_TRUE(first) << first.error().context;
  const auto second = FolderLock::take(folder_, "hone-cloud", "--data");
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().context.find("process " + std::to_string(::getpid())), std::string::npos) << second.error().context;
  EXPECT_NE(second.error().context.find("--data"), std::string::npos);
}

TEST_F(FolderLockTest, IsFreeAgainWhenTheHolderIsGone) {
  { ASSERT_TRUE(FolderLock::take(folder_, "hone-cloud", "--data")); }
  EXPECT_TRUE(FolderLock::take(folder_, "hone-cloud", "--data"));
}

TEST_F(FolderLockTest, SaysThatTheFolderCannotBeWritten) {
  const auto lock = FolderLock::take(folder_ + "/none", "hone-cloud", "--data");
  ASSERT_FALSE(lock);
  EXPECT_NE(lock.error().context.find("--data"), std::string::npos);
}

}  // namespace
}  // namespace hone::platform
