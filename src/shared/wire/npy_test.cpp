#include "shared/wire/npy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace hone::wire {
namespace {

using ::testing::HasSubstr;

Bytes file_with(std::string dict) {
  while ((10 + dict.size() + 1) % 64 != 0) dict += ' ';
  dict += '\n';
  Bytes file = to_bytes(std::string_view("\x93NUMPY\x01\x00", 8));
  file.push_back(static_cast<std::uint8_t>(dict.size() & 0xff));
  file.push_back(static_cast<std::uint8_t>(dict.size() >> 8));
  file.insert(file.end(), dict.begin(), dict.end());
  return file;
}

std::string refusal(const Bytes& file, std::uint64_t file_bytes) {
  const auto parsed = parse_npy(file, file_bytes);
  return parsed ? "accepted" : parsed.error().context;
}

TEST(Npy, WritesTheHeaderThatNumPyWrites) {
  // The first 128 bytes of np.save() of a float32 array [3, 4].
  const std::string expected = std::string("\x93NUMPY\x01\x00v\x00", 10) +
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }" + std::string(58, ' ') +
                               "\n";
  EXPECT_EQ(to_string(npy_header("<f4", {3, 4})), expected);
}

TEST(Npy, ReadsBackEveryShapeAndType) {
  struct Case {
    std::string descr;
    std::vector<std::int64_t> shape;
    std::size_t data_bytes;
  };
  for (const Case& c : {Case{"|u1", {10, 1, 28, 28}, 7840}, Case{"<i8", {5}, 40}, Case{"<f8", {}, 8},
                        Case{"<i2", {0, 3}, 0}, Case{"<i4", {2, 2}, 16}, Case{"|i1", {1}, 1}}) {
    const Bytes header = npy_header(c.descr, c.shape);
    EXPECT_EQ(header.size() % 64, 0u);
    const auto parsed = parse_npy(header, header.size() + c.data_bytes);
    ASSERT_TRUE(parsed) << parsed.error().context;
    EXPECT_EQ(parsed->descr, c.descr);
    EXPECT_EQ(parsed->shape, c.shape);
    EXPECT_EQ(parsed->data_offset, header.size());
    EXPECT_EQ(parsed->data_bytes, c.data_bytes);
  }
}

TEST(Npy, ReadsKeysInAnyOrderAndEitherQuote) {
  const Bytes file = file_with(R"({"shape": (2,), "fortran_order": False, "descr": "<i8"})");
  const auto parsed = parse_npy(file, file.size() + 16);
  ASSERT_TRUE(parsed) << parsed.error().context;
  EXPECT_EQ(parsed->shape, std::vector<std::int64_t>{2});
}

TEST(Npy, RefusesWhatIsNoNpyFileOfItsKind) {
  EXPECT_THAT(refusal({}, 0), HasSubstr("too short"));
  EXPECT_THAT(refusal(Bytes(200, 'x'), 200), HasSubstr("version 1.0"));
  Bytes fortran = file_with("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }");
  EXPECT_THAT(refusal(fortran, fortran.size() + 4), HasSubstr("C order"));
  Bytes big_endian = file_with("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }");
  EXPECT_THAT(refusal(big_endian, big_endian.size() + 4), HasSubstr("|u1"));
  Bytes object = file_with("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }");
  EXPECT_THAT(refusal(object, object.size() + 4), HasSubstr("descr"));
  Bytes lacking = file_with("{'descr': '<f4', 'fortran_order': False, }");
  EXPECT_THAT(refusal(lacking, lacking.size()), HasSubstr("lacks"));
  Bytes negative = file_with("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }");
  EXPECT_THAT(refusal(negative, negative.size()), HasSubstr("shape"));
  Bytes trailing = file_with("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x");
  EXPECT_THAT(refusal(trailing, trailing.size() + 4), HasSubstr("follows"));
}

TEST(Npy, RefusesSizesThatDisagreeOrOverflow) {
  const Bytes header = npy_header("<f4", {3, 4});
  EXPECT_THAT(refusal(header, header.size() + 47), HasSubstr("disagree"));
  EXPECT_THAT(refusal(header, header.size() + 49), HasSubstr("disagree"));
  const Bytes cut(header.begin(), header.begin() + 40);
  EXPECT_THAT(refusal(cut, 40), HasSubstr("ends inside"));
  const std::int64_t huge = std::int64_t{1} << 62;
  const Bytes overflowing = npy_header("<f8", {huge, huge, huge});
  EXPECT_THAT(refusal(overflowing, overflowing.size()), HasSubstr("shorter"));
}

}  // namespace
}  // namespace hone::wire
