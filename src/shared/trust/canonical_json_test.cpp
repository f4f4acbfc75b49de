#include "shared/trust/canonical_json.hpp"

#include <gtest/gtest.h>

namespace hone::trust {
namespace {

std::string canonical_of(std::string_view text) {
  const auto parsed = parse_strict_json(as_bytes(text));
  if (!parsed) return "refused: " + parsed.error().context;
  const auto canonical = canonical_json(*parsed);
  return canonical ? *canonical : "no form: " + canonical.error().context;
}

TEST(CanonicalJson, SortsKeysAndDropsWhiteSpace) {
  EXPECT_EQ(canonical_of("{ \"b\" : [ 1 , true, null ],\n \"a\":{} }"), R"({"a":{},"b":[1,true,null]})");
  EXPECT_EQ(canonical_of(R"({"a":1,"B":2,"_":3,"aa":4})"), R"({"B":2,"_":3,"a":1,"aa":4})");
}

TEST(CanonicalJson, SortsKeysByTheirUtf8Bytes) {
  EXPECT_EQ(canonical_of("{\"\xc3\xa9\":1,\"z\":2,\"\xf0\x9f\x98\x80\":3,\"\xef\xbf\xbd\":4}"),
            "{\"z\":2,\"\xc3\xa9\":1,\"\xef\xbf\xbd\":4,\"\xf0\x9f\x98\x80\":3}");
}

TEST(CanonicalJson, EscapesOnlyQuoteAndBackslash) {
  EXPECT_EQ(canonical_of(R"(["\"\\\/\n\u00e9\u0001"])"), "[\"\\\"\\\\/\n\xc3\xa9\x01\"]");
}

TEST(CanonicalJson, KeepsIntegersOf64Bits) {
  EXPECT_EQ(canonical_of("[9223372036854775807,-9223372036854775808,18446744073709551615,0,-1]"),
            "[9223372036854775807,-9223372036854775808,18446744073709551615,0,-1]");
}

TEST(CanonicalJson, RefusesWhateverHasNoSingleForm) {
  EXPECT_TRUE(canonical_of("[1.0]").starts_with("refused"));
  EXPECT_TRUE(canonical_of("[1e3]").starts_with("refused"));
  EXPECT_TRUE(canonical_of("[18446744073709551616]").starts_with("refused"));
  EXPECT_TRUE(canonical_of(R"({"a":1,"a":1})").starts_with("refused"));
  EXPECT_TRUE(canonical_of(R"({"x":[{"a":1,"b":{"a":1},"a":2}]})").starts_with("refused"));
  EXPECT_TRUE(canonical_of(R"({"a":1,"\u0061":2})").starts_with("refused"));
  EXPECT_TRUE(canonical_of(R"(["\ud800"])").starts_with("refused"));
  EXPECT_TRUE(canonical_of("[\"\xff\"]").starts_with("refused"));
  EXPECT_TRUE(canonical_of("{} {}").starts_with("refused"));
  EXPECT_TRUE(canonical_of("").starts_with("refused"));
}

TEST(CanonicalJson, AllowsOneKeyInTwoObjects) {
  EXPECT_EQ(canonical_of(R"({"a":{"k":1},"b":{"k":1}})"), R"({"a":{"k":1},"b":{"k":1}})");
}

TEST(CanonicalJson, RefusesDeepNestingWithoutExhaustingTheStack) {
  EXPECT_TRUE(canonical_of(std::string(31, '[') + std::string(31, ']')).starts_with("[[["));
  EXPECT_TRUE(canonical_of(std::string(100, '[') + std::string(100, ']')).starts_with("refused"));
  EXPECT_TRUE(canonical_of(std::string(4'000'000, '[')).starts_with("refused"));
}

TEST(CanonicalJson, HasNoFormForAFraction) {
  const auto canonical = canonical_json(Json{{"a", 0.5}});
  ASSERT_FALSE(canonical);
  EXPECT_EQ(canonical.error().code, Code::invalid);
}

}  // namespace
}  // namespace hone::trust
