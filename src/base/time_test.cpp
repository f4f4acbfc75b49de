#include "base/time.hpp"

#include <gtest/gtest.h>

namespace hone {
namespace {

TEST(Rfc3339, WritesWholeSecondsOfUtc) {
  EXPECT_EQ(to_rfc3339(from_unix_ms(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(from_unix_ms(1795406706999)), "2026-11-23T04:05:06Z");
  EXPECT_EQ(to_rfc3339(from_unix_ms(-1)), "1969-12-31T23:59:59Z");
}

TEST(Rfc3339, ReadsBackWhatItWrote) {
  for (const std::int64_t seconds : {0LL, 951782400LL /* 29 February 2000 */, 4102444799LL, -86400LL}) {
    const Time t = from_unix_ms(seconds * 1000);
    EXPECT_EQ(from_rfc3339(to_rfc3339(t)).value(), t);
  }
}

TEST(Rfc3339, RefusesOtherFormsAndImpossibleTimes) {
  for (const std::string_view text :
       {"", "2026-11-23", "2026-11-23T04:05:06", "2026-11-23T04:05:06z", "2026-11-23 04:05:06Z",
        "2026-11-23T04:05:06.5Z", "2026-11-23T04:05:06+00:00", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-10T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-12-31T23:59:60Z",
        "2026-1-001T00:00:00Z", "+026-01-01T00:00:00Z"}) {
    const auto t = from_rfc3339(text);
    ASSERT_FALSE(t) << text;
    EXPECT_EQ(t.error().code, Code::invalid);
  }
}

}  // namespace
}  // namespace hone
