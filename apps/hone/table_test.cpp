#include "table.hpp"

#include <gtest/gtest.h>

namespace hone::app {
namespace {

TEST(Table, AlignsItsColumns) {
  Table table({"name", ">rows"});
  table.row({"digits", "6,000"});
  table.row({"Geräusch", "1"});
  EXPECT_EQ(table.text(),
            "name       rows\n"
            "digits    6,000\n"
            "Geräusch      1\n");
}

TEST(Table, FillsARowThatIsShort) {
  Table table({"a", "b"});
  table.row({"x"});
  EXPECT_EQ(table.text(), "a  b\nx\n");
}

TEST(Words, NumbersReadWell) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(-1234567), "-1,234,567");
  EXPECT_EQ(with_commas(-123), "-123");
  EXPECT_EQ(bytes_in_words(999), "999 B");
  EXPECT_EQ(bytes_in_words(831234), "831.2 kB");
  EXPECT_EQ(percent(0.98714), "98.71%");
  EXPECT_EQ(duration_in_words(Duration(250)), "250 ms");
  EXPECT_EQ(duration_in_words(std::chrono::minutes(3)), "3 min");
}

TEST(Words, ATimeThatIsNotThereIsADash) {
  EXPECT_EQ(when(nullptr), "-");
  EXPECT_EQ(when(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(text_of(nullptr), "-");
}

}  // namespace
}  // namespace hone::app
