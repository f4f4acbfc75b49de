#include "base/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hone {
namespace {

using ::testing::HasSubstr;

Result<Json> parse(std::string_view text) {
  return parse_json(as_bytes(text));
}

std::string nested(int depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(ParseJson, NamesTheLineAndColumnOfTheError) {
  const auto json = parse("{\n  \"a\": 1,\n  \"b\": ?\n}");
  ASSERT_FALSE(json);
  EXPECT_EQ(json.error().code, Code::invalid);
  EXPECT_EQ(json.error().context, "not valid JSON at line 3, column 8");
}

TEST(ParseJson, RefusesWhatIsNotExactlyOneValue) {
  for (const std::string_view text :
       {"", " ", "{", "[1,]", "1 2", "nul", "\"\xff\"", "NaN", "1e999", "// no\n1", "'a'"}) {
    const auto json = parse(text);
    ASSERT_FALSE(json) << text;
    EXPECT_EQ(json.error().code, Code::invalid);
  }
}

TEST(ParseJson, AllowsADepthOf32AndNoMore) {
  EXPECT_TRUE(parse(nested(32)));
  const auto deep = parse(nested(33));
  ASSERT_FALSE(deep);
  EXPECT_THAT(deep.error().context, HasSubstr("nests deeper than 32 at line 1, column 33"));
  EXPECT_FALSE(parse(std::string(1 << 20, '[')));
}

TEST(ParseJson, CountsNoBracketsInsideStrings) {
  const std::string brackets(100, '[');
  EXPECT_EQ(parse("\"" + brackets + "\"").value().get<std::string>(), brackets);
  EXPECT_TRUE(parse("[\"\\\"" + brackets + "\\\\\"]"));
  EXPECT_FALSE(parse("[\"\\\\\"," + nested(32) + "]"));
}

TEST(ParseJson, KeepsTheLastOfTwoEqualKeys) {
  EXPECT_EQ(get_int(*parse(R"({"a": 1, "a": 2})"), "a").value(), 2);
}

TEST(JsonKeys, GiveTheValueOfTheAskedType) {
  const Json json = parse(R"({"s": "x", "i": -3, "d": 0.5, "b": true, "o": {"k": 1}, "a": [1]})").value();
  EXPECT_EQ(get_string(json, "s").value(), "x");
  EXPECT_EQ(get_int(json, "i").value(), -3);
  EXPECT_EQ(get_number(json, "d").value(), 0.5);
  EXPECT_EQ(get_number(json, "i").value(), -3.0);
  EXPECT_TRUE(get_bool(json, "b").value());
  EXPECT_EQ(get_int(**get_object(json, "o"), "k").value(), 1);
  EXPECT_EQ((*get_array(json, "a"))->size(), 1U);
}

TEST(JsonKeys, NameTheKeyThatIsMissingOrOfAnotherType) {
  const Json json = parse(R"({"s": "x", "i": 1, "d": 1.0, "n": null, "huge": 18446744073709551615})").value();
  const Error errors[] = {
      get_string(json, "i").error(),   get_int(json, "d").error(),       get_int(json, "huge").error(),
      get_number(json, "s").error(),   get_bool(json, "i").error(),      get_object(json, "n").error(),
      get_array(json, "gone").error(), get_string(Json(3), "s").error(), get_string(Json::array(), "s").error()};
  const std::string_view keys[] = {"\"i\"", "\"d\"",    "\"huge\"", "\"s\"", "\"i\"",
                                   "\"n\"", "\"gone\"", "\"s\"",    "\"s\""};
  for (std::size_t i = 0; i < std::size(errors); ++i) {
    EXPECT_EQ(errors[i].code, Code::invalid);
    EXPECT_THAT(errors[i].context, HasSubstr(std::string(keys[i])));
  }
}

TEST(DumpBytes, SurvivesTextThatIsNotUtf8) {
  EXPECT_EQ(to_string(dump_bytes({{"a", 1}})), R"({"a":1})");
  EXPECT_TRUE(parse_json(dump_bytes({{"a", "\xff"}})));
}

}  // namespace
}  // namespace hone
