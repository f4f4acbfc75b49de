#include "shared/wire/signal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hone::wire {
namespace {

using ::testing::HasSubstr;

Signal digits() {
  return {{1, 28, 28}, DType::uint8, 1.0 / 255, {"0", "1", "2"}};
}

std::string refusal(const Signal& signal) {
  const auto checked = check(signal);
  return checked ? "accepted" : checked.error().context;
}

TEST(Signal, CountsElementsAndBytes) {
  Signal signal = digits();
  EXPECT_EQ(signal.elements(), 784u);
  EXPECT_EQ(signal.sample_bytes(), 784u);
  signal.dtype = DType::float32;
  EXPECT_EQ(signal.sample_bytes(), 3136u);
}

TEST(Signal, SurvivesJsonBitForBit) {
  for (const DType dtype : {DType::uint8, DType::int8, DType::int16, DType::int32, DType::float32}) {
    Signal signal = digits();
    signal.dtype = dtype;
    const auto parsed = parse_json(dump_bytes(to_json(signal)));
    ASSERT_TRUE(parsed);
    const auto back = signal_from(*parsed);
    ASSERT_TRUE(back) << back.error().context;
    EXPECT_EQ(*back, signal);
  }
}

TEST(Signal, RefusesWhatIsOutOfBounds) {
  Signal signal = digits();
  EXPECT_EQ(refusal(signal), "accepted");
  signal.shape = {};
  EXPECT_THAT(refusal(signal), HasSubstr("1 to 4 axes"));
  signal.shape = {1, 1, 1, 1, 1};
  EXPECT_THAT(refusal(signal), HasSubstr("1 to 4 axes"));
  signal.shape = {28, 0};
  EXPECT_THAT(refusal(signal), HasSubstr("1 or more"));
  signal.shape = {1 << 24, 1 << 24, 1 << 24};
  EXPECT_THAT(refusal(signal), HasSubstr("16777216"));
  signal = digits();
  signal.scale = 0;
  EXPECT_THAT(refusal(signal), HasSubstr("scale"));
  signal = digits();
  signal.labels.push_back("1");
  EXPECT_THAT(refusal(signal), HasSubstr("'1' is there twice"));
  signal.labels = {std::string(129, 'a')};
  EXPECT_THAT(refusal(signal), HasSubstr("128 bytes"));
}

TEST(Signal, ReaderNamesTheKeyThatIsWrong) {
  Json json = to_json(digits());
  json["dtype"] = "float16";
  EXPECT_THAT(signal_from(json).error().context, HasSubstr("float16"));
  json = to_json(digits());
  json.erase("shape");
  EXPECT_THAT(signal_from(json).error().context, HasSubstr("shape"));
  json = to_json(digits());
  json["shape"] = {1, "28"};
  EXPECT_THAT(signal_from(json).error().context, HasSubstr("shape"));
  json["shape"] = {1, 18446744073709551615u};
  EXPECT_FALSE(signal_from(json));
  EXPECT_FALSE(signal_from(Json::array()));
}

}  // namespace
}  // namespace hone::wire
