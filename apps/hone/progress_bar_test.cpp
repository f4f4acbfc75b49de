#include "progress_bar.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "columns.hpp"

namespace hone::app {
namespace {

constexpr Glyphs kAscii{false}, kUtf8{true};

TEST(Bar, FillsItsWidthExactly) {
  EXPECT_EQ(bar(0, 4, kAscii), "....");
  EXPECT_EQ(bar(0.5, 4, kAscii), "##..");
  EXPECT_EQ(bar(1, 4, kAscii), "####");
  EXPECT_EQ(bar(0.5, 4, kUtf8), "██  ");
  EXPECT_EQ(bar(0.53125, 4, kUtf8), "██▏ ");
  EXPECT_EQ(bar(1, 4, kUtf8), "████");
  for (int i = -1; i <= 101; ++i) EXPECT_EQ(columns_of(bar(i / 100.0, 17, kUtf8)), 17u) << i;
}

TEST(Bar, TakesWhatIsNoShareForNone) {
  EXPECT_EQ(bar(std::strtod("nan", nullptr), 3, kAscii), "...");
  EXPECT_EQ(bar(7, 3, kAscii), "###");
}

TEST(BarLine, GivesTheBarWhatTheTextsLeave) {
  EXPECT_EQ(bar_line("job-1", 0.5, "50%", 20, kAscii), "job-1 [####....] 50%");
  for (std::size_t width = 0; width < 100; ++width) EXPECT_LE(columns_of(bar_line("job-1", 0.5, "50%", width, kUtf8)), width);
  EXPECT_EQ(bar_line("job-1", 0.5, "50%", 12, kAscii), "job-1 50%");  // no room for a bar
}

TEST(Columns, CountsAndClipsCharacters) {
  EXPECT_EQ(columns_of("a█⣿"), 3u);
  EXPECT_EQ(clipped("a█⣿", 2), "a█");
  EXPECT_EQ(clipped("a█⣿", 0), "");
  EXPECT_EQ(clipped("a█⣿", 9), "a█⣿");
}

TEST(Glyphs, FollowTheLocale) {
  const auto with = [](const char* lc_all, const char* lang) {
    ::setenv("LC_ALL", lc_all, 1);
    ::unsetenv("LC_CTYPE");
    ::setenv("LANG", lang, 1);
    return glyphs_of_locale().utf8;
  };
  EXPECT_TRUE(with("", "en_GB.UTF-8"));
  EXPECT_TRUE(with("C.utf8", "C"));
  EXPECT_FALSE(with("C", "en_GB.UTF-8"));
  EXPECT_FALSE(with("", "POSIX"));
}

}  // namespace
}  // namespace hone::app
