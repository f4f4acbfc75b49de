#include "base/ids.hpp"

#include <gtest/gtest.h>

namespace hone {
namespace {

TEST(PlainName, AcceptsWhatIsSafeInPathsTopicsAndUrls) {
  for (const std::string_view name : {"a", "digits", "line-3_b"}) EXPECT_TRUE(is_plain_name(name)) << name;
  EXPECT_TRUE(is_plain_name(std::string(64, 'x')));
}

TEST(PlainName, RefusesEverythingElse) {
  for (const std::string_view name : {"", "3d", "-a", "_a", "Digits", "a/b", "..", "a b", "a+", "a#", "\xc3\xa4"}) {
    EXPECT_FALSE(is_plain_name(name)) << name;
  }
  EXPECT_FALSE(is_plain_name(std::string(65, 'x')));
  EXPECT_FALSE(is_plain_name(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace hone
