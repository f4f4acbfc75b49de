#include "cloud/service/static_files.hpp"

#include <gtest/gtest.h>

#include "base/hash.hpp"
#include "platform/sim/sim.hpp"

namespace hone::cloud {
namespace {

TEST(Range, FollowsItsTable) {
  struct Case {
    const char* header;
    std::uint64_t size;
    RangeKind kind;
    std::uint64_t first, count;
  };
  const Case cases[] = {
      {"", 100, RangeKind::none, 0, 0},
      {"bytes=0-9", 100, RangeKind::one, 0, 10},
      {"bytes=90-", 100, RangeKind::one, 90, 10},
      {"bytes=90-200", 100, RangeKind::one, 90, 10},
      {"bytes=-10", 100, RangeKind::one, 90, 10},
      {"bytes=-200", 100, RangeKind::one, 0, 100},
      {"bytes=99-99", 100, RangeKind::one, 99, 1},
      {"bytes=100-", 100, RangeKind::unsatisfiable, 0, 0},
      {"bytes=-0", 100, RangeKind::unsatisfiable, 0, 0},
      {"bytes=0-", 0, RangeKind::unsatisfiable, 0, 0},
      {"bytes=5-4", 100, RangeKind::none, 0, 0},
      {"bytes=0-1,3-4", 100, RangeKind::none, 0, 0},
      {"bytes=a-b", 100, RangeKind::none, 0, 0},
      {"bytes=-", 100, RangeKind::none, 0, 0},
      {"bytes=x-5", 100, RangeKind::none, 0, 0},
      {"lines=0-1", 100, RangeKind::none, 0, 0},
      {"bytes=0-18446744073709551615", 100, RangeKind::one, 0, 100},
      {"bytes=0-99999999999999999999999", 100, RangeKind::none, 0, 0},
  };
  for (const auto& c : cases) {
    const auto answer = parse_range(c.header, c.size);
    EXPECT_EQ(answer.kind, c.kind) << c.header;
    EXPECT_EQ(answer.range.first, c.first) << c.header;
    EXPECT_EQ(answer.range.count, c.count) << c.header;
  }
}

struct StaticFiles : ::testing::Test {
  StaticFiles() {
    EXPECT_TRUE(files.make_folders("repo/metadata").has_value());
    EXPECT_TRUE(files.make_folders("repo/targets/models/p").has_value());
    put("metadata/timestamp.json", "{\"v\":1}");
    hashed = "targets/models/p/" + sha256(as_bytes("0123456789")).hex() + ".x.onnx";
    put(hashed, "0123456789");
    put("secret", "no");
  }
  void put(const std::string& path, std::string_view text) {
    ASSERT_TRUE(write_file_atomically(files, "repo/" + path, as_bytes(text)).has_value());
  }
  HttpResponse get(const std::string& path, HttpHeaders headers = {}) {
    HttpRequest request;
    request.headers = std::move(headers);
    return serve_file(files, "repo", path, request);
  }
  platform::SimFiles files;
  std::string hashed;
};

TEST_F(StaticFiles, GivesWholeFilesWithTheirTag) {
  const auto response = get("metadata/timestamp.json");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(to_string(response.body), "{\"v\":1}");
  EXPECT_EQ(response.headers.at("cache-control"), "no-cache");
  EXPECT_EQ(response.headers.at("content-type"), "application/json");
  EXPECT_EQ(get("metadata/timestamp.json", {{"if-none-match", response.headers.at("etag")}}).status, 304);
  put("metadata/timestamp.json", "{\"v\":2}");
  EXPECT_EQ(get("metadata/timestamp.json", {{"if-none-match", response.headers.at("etag")}}).status, 200);
}

TEST_F(StaticFiles, LetsHashedNamesBeKeptForGood) {
  EXPECT_NE(get(hashed).headers.at("cache-control").find("immutable"), std::string::npos);
}

TEST_F(StaticFiles, GivesARange) {
  const auto part = get(hashed, {{"range", "bytes=2-4"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(to_string(part.body), "234");
  EXPECT_EQ(part.headers.at("content-range"), "bytes 2-4/10");
  const auto beyond = get(hashed, {{"range", "bytes=10-"}});
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.headers.at("content-range"), "bytes */10");
}

TEST_F(StaticFiles, ContinuesOnlyTheSameFile) {
  const std::string tag = get(hashed).headers.at("etag");
  EXPECT_EQ(get(hashed, {{"range", "bytes=2-4"}, {"if-range", tag}}).status, 206);
  EXPECT_EQ(get(hashed, {{"range", "bytes=2-4"}, {"if-range", "\"other\""}}).status, 200);
}

TEST_F(StaticFiles, NeverLeavesItsFolder) {
  for (const char* path : {"", "/", "../secret", "metadata/../secret", "metadata//timestamp.json", "metadata/.",
                           "metadata/", "metadata", "nothing.json", "metadata/%2e%2e", "a\\b", ".hidden"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
  EXPECT_EQ(get(std::string(5000, 'a')).status, 404);
}

}  // namespace
}  // namespace hone::cloud
