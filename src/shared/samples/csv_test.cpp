#include "shared/samples/csv.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace hone::samples {
namespace {

class CsvTest : public ::testing::Test {
 protected:
  CsvTest() {
    signal_.shape = {2};
    signal_.dtype = wire::DType::float32;
    signal_.labels = {"sit", "walk", "7"};
  }
  Result<Samples> parse(std::string_view text) { return parse_csv(as_bytes(text), signal_, options_); }
  void refused(std::string_view text, std::initializer_list<std::string_view> parts) {
    const auto samples = parse(text);
    ASSERT_FALSE(samples) << text;
    EXPECT_EQ(samples.error().code, Code::invalid);
    for (const auto part : parts) EXPECT_NE(samples.error().context.find(part), std::string::npos) << samples.error().context;
  }
  static std::vector<float> floats(const Samples& samples) {
    std::vector<float> values(samples.x.size() / sizeof(float));
    std::memcpy(values.data(), samples.x.data(), samples.x.size());
    return values;
  }

  wire::Signal signal_;
  CsvOptions options_;
};

using Labels = std::vector<std::int64_t>;

TEST_F(CsvTest, TheLastColumnIsTheLabelWhereALineHasOneCellMore) {
  const auto samples = parse("1,2,walk\n-3,4.5e0,0\n5,6,\n7,8,-1\n9,10,7\n");
  ASSERT_TRUE(samples) << samples.error().context;
  EXPECT_EQ(floats(*samples), (std::vector<float>{1, 2, -3, 4.5, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(samples->y, (Labels{1, 0, -1, -1, 2}));  // a name wins over an index
}

TEST_F(CsvTest, AHeaderNamesTheLabelColumn) {
  const auto samples = parse("label,ax,ay\nwalk,1,2\n");
  ASSERT_TRUE(samples) << samples.error().context;
  EXPECT_EQ(floats(*samples), (std::vector<float>{1, 2}));
  EXPECT_EQ(samples->y, (Labels{1}));
  const auto numbered = parse("0,1,label\n1,2,walk\n");  // as pandas writes it
  ASSERT_TRUE(numbered) << numbered.error().context;
  EXPECT_EQ(numbered->y, (Labels{1}));
}

TEST_F(CsvTest, TheCallerNamesTheLabelColumn) {
  options_.label_column = "activity";
  EXPECT_EQ(parse("ax,activity,ay\n1,walk,2\n")->y, (Labels{1}));
  options_.label_column = "2";
  EXPECT_EQ(parse("1,sit,2\n")->y, (Labels{0}));
  options_.label_column = "mood";
  refused("ax,activity,ay\n1,walk,2\n", {"line 1", "no column 'mood'", "1 to 3"});
}

TEST_F(CsvTest, WithoutLabelsThereAreNone) {
  const auto samples = parse("a,b\n1,2\n3,4\n");
  ASSERT_TRUE(samples) << samples.error().context;
  EXPECT_EQ(samples->y, (Labels{-1, -1}));
  options_.labels_required = true;
  refused("a,b\n1,2\n", {"line 1", "none of them a label", "--label-column"});
}

TEST_F(CsvTest, ReadsWhatSpreadsheetsWrite) {
  const auto samples = parse("\xEF\xBB\xBF\"a\";\"b \"\"x\"\"\";label\r\n\r\n +1 ;\"2\"; \"walk\" \r\n3;4;sit");
  ASSERT_TRUE(samples) << samples.error().context;
  EXPECT_EQ(floats(*samples), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(samples->y, (Labels{1, 0}));
}

TEST_F(CsvTest, SaysLineAndColumnOfWhatIsNoNumber) {
  refused("ax,ay\n1,2\n3,four\n", {"line 3, column 2", "'four'", "number"});
  refused("1,2,walk\n\n1,,walk\n", {"line 3, column 2", "an empty cell"});
  refused("1,2\n3,1e999\n", {"line 2, column 2"});
  refused("1,2\n3,1e40\n", {"line 2, column 2", "float32"});
  refused("1,2\n3,\"4\n", {"line 2, column 2", "not closed"});
  refused("1,2\n\"3\"x,4\n", {"line 2, column 1", "behind its closing quote"});
  refused("1,2\n\x1b[2J,4\n", {"'?[2J'"});
}

TEST_F(CsvTest, SaysWhichLineHasAnotherLength) {
  refused("1,2\n3\n", {"line 2 has 1 cells", "have 2"});
  refused("1,2\n3,4,5\n", {"line 2 has more than the 2 cells"});
  refused("1,2,3,4\n", {"line 1 has more than 3 cells", "2 numbers"});
  refused("1\n", {"line 1 has 1 cells", "2 numbers"});
  refused("", {"no lines"});
  refused("ax,ay\n", {"header", "no lines of numbers"});
}

TEST_F(CsvTest, RefusesLabelsThatTheSignalDoesNotHave) {
  refused("1,2,run\n", {"line 1, column 3", "'run'", "0 to 2"});
  refused("1,2,3\n", {"line 1, column 3", "'3'"});
  refused("1,2,0.5\n", {"line 1, column 3"});
  signal_.labels.clear();
  EXPECT_EQ(parse("1,2,17\n")->y, (Labels{17}));
  refused("1,2,4096\n", {"0 to 4095"});
}

TEST_F(CsvTest, WholeNumbersHaveTheirRange) {
  signal_.dtype = wire::DType::uint8;
  EXPECT_EQ(parse("0,2.55e+02\n")->x, (Bytes{0, 255}));  // as numpy.savetxt writes whole numbers
  refused("0,256\n", {"line 1, column 2", "uint8"});
  refused("0,1.5\n", {"uint8"});
  refused("-1,0\n", {"column 1", "uint8"});
  refused("0,nan\n", {"uint8"});
}

TEST_F(CsvTest, NotANumberIsANumberForFloats) {
  const auto samples = parse("nan,-inf\n");
  ASSERT_TRUE(samples) << samples.error().context;
  EXPECT_TRUE(std::isnan(floats(*samples)[0]));
  EXPECT_TRUE(std::isinf(floats(*samples)[1]));
}

}  // namespace
}  // namespace hone::samples
