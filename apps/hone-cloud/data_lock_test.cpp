#include "data_lock.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

namespace hone::app {
namespace {

class DataLockTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "hone-lock-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

TEST_F(DataLockTest, ASecondHolderIsRefusedAndToldWho) {
  const auto first = DataLock::take(folder_);
  ASSERT_TRUE(first) << first.error().context;
  const auto second = DataLock::take(folder_);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().context.find("process " + std::to_string(::getpid())), std::string::npos) << second.error().context;
  EXPECT_NE(second.error().context.find("--data"), std::string::npos);
}

TEST_F(DataLockTest, IsFreeAgainWhenTheHolderIsGone) {
  { ASSERT_TRUE(DataLock::take(folder_)); }
  EXPECT_TRUE(DataLock::take(folder_));
}

TEST_F(DataLockTest, SaysThatTheFolderCannotBeWritten) {
  const auto lock = DataLock::take(folder_ + "/none");
  ASSERT_FALSE(lock);
  EXPECT_NE(lock.error().context.find("--data"), std::string::npos);
}

}  // namespace
}  // namespace hone::app
