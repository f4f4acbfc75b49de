#include "base/hash.hpp"

#include <gtest/gtest.h>

namespace hone {
namespace {

// FIPS 180-4 example.
constexpr std::string_view kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, MatchesThePublishedVectors) {
  EXPECT_EQ(sha256(as_bytes("abc")).hex(), kAbc);
  EXPECT_EQ(sha256({}).hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, IsTheSameForBytesInPieces) {
  Sha256Stream stream;
  stream.update(as_bytes("a"));
  stream.update({});
  Sha256Stream moved = std::move(stream);
  moved.update(as_bytes("bc"));
  EXPECT_EQ(moved.finish().hex(), kAbc);
}

TEST(Sha256, ReadsItsOwnHexAndNothingElse) {
  EXPECT_EQ(Sha256::from_hex(kAbc).value(), sha256(as_bytes("abc")));
  EXPECT_EQ(Sha256::from_hex(kAbc.substr(2)).error().code, Code::invalid);
  EXPECT_EQ(Sha256::from_hex(std::string(64, 'x')).error().code, Code::invalid);
}

TEST(Crc32, MatchesTheCheckValueAndContinuesFromASeed) {
  EXPECT_EQ(crc32(as_bytes("123456789")), 0xCBF43926U);
  EXPECT_EQ(crc32(as_bytes("6789"), crc32(as_bytes("12345"))), 0xCBF43926U);
  EXPECT_EQ(crc32({}, 7), 7U);
}

}  // namespace
}  // namespace hone
