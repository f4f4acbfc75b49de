#include "shared/pipeline/toml_section.hpp"

#include <gtest/gtest.h>

namespace hone {
namespace {

TEST(TomlWords, DurationsAreANumberAndAUnit) {
  EXPECT_EQ(parse_duration("250ms"), Duration(250));
  EXPECT_EQ(parse_duration("0s"), Duration(0));
  EXPECT_EQ(parse_duration("10m"), std::chrono::minutes(10));
  EXPECT_EQ(parse_duration("6 h"), std::chrono::hours(6));
  EXPECT_EQ(parse_duration("1d"), std::chrono::hours(24));
  for (const char* text :
       {"", "10", "m", "-1s", "1.5h", "1w", "367d", "99999999999999999999s", "9007199254740992d", "1s "})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(TomlWords, SizesAreANumberAndAUnit) {
  EXPECT_EQ(parse_size("50 MiB"), 50 << 20);
  EXPECT_EQ(parse_size("50MB"), 50'000'000);
  EXPECT_EQ(parse_size("0 B"), 0);
  for (const char* text : {"", "50", "MiB", "-1 B", "50 mib", "9007199254740992 KiB"})
    EXPECT_FALSE(parse_size(text)) << text;
}

TEST(TomlWords, NearestWordIsNearOrNone) {
  const std::vector<std::string_view> keys{"layers", "recipe", "cooldown", "first_at_samples"};
  EXPECT_EQ(nearest_word("layer", keys), "layers");
  EXPECT_EQ(nearest_word("first_samples", keys), "first_at_samples");
  EXPECT_EQ(nearest_word("cool_down", keys), "cooldown");
  EXPECT_EQ(nearest_word("momentum", keys), "");
  EXPECT_EQ(nearest_word(std::string(1000, 'a'), keys), "");
}

}  // namespace
}  // namespace hone
