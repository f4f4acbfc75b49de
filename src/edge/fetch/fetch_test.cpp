#include "edge/fetch/fetch.hpp"

#include <gtest/gtest.h>

#include <charconv>

#include "platform/sim/sim.hpp"

namespace hone::edge {
namespace {

using platform::SimFiles;
using platform::SimHttpClient;
using platform::SimRandom;

// Serves one file under /repository/targets/f, with Range.
struct FileServer {
  Bytes file;
  bool knows_range = true;
  std::uint64_t served = 0;
  int requests = 0;

  HttpResponse operator()(const HttpRequest& request) {
    ++requests;
    HttpResponse response;
    if (request.path != "/repository/targets/f") {
      response.status = 404;
      return response;
    }
    const auto range = request.headers.find("range");
    if (range == request.headers.end() || !knows_range) {
      response.status = 200;
      response.body = file;
    } else {
      std::uint64_t from = 0, to = 0;
      const std::string text = range->second.substr(6);
      const auto dash = text.find('-');
      std::from_chars(text.data(), text.data() + dash, from);
      std::from_chars(text.data() + dash + 1, text.data() + text.size(), to);
      response.status = 206;
      to = std::min<std::uint64_t>(to, file.size() - 1);
      if (from <= to)
        response.body.assign(file.begin() + static_cast<std::ptrdiff_t>(from),
                             file.begin() + static_cast<std::ptrdiff_t>(to) + 1);
    }
    served += response.body.size();
    return response;
  }
};

struct FetchTest : ::testing::Test {
  SimFiles files;
  SimRandom random{3};
  FileServer server;
  SimHttpClient cloud{[this](const HttpRequest& r) { return server(r); }, random};

  FetchTest() {
    server.file.resize(5 * kFetchPieceBytes / 2);
    random.fill(server.file);
  }
  wire::TargetFile target() const { return {"models/p/f", server.file.size(), sha256(server.file)}; }
  TargetFetch begin() { return *TargetFetch::begin(files, "fetch", target(), "targets/f"); }
};

TEST_F(FetchTest, PullsPieceByPieceAndChecksTheHash) {
  TargetFetch fetch = begin();
  EXPECT_FALSE(*fetch.next(cloud));
  EXPECT_FALSE(*fetch.next(cloud));
  EXPECT_TRUE(*fetch.next(cloud));
  EXPECT_EQ(*read_file(files, fetch.path(), server.file.size()), server.file);
  EXPECT_EQ(fetch.bytes_pulled(), server.file.size());
}

TEST_F(FetchTest, GoesOnWhereItStoppedAfterAReboot) {
  {
    TargetFetch fetch = begin();
    ASSERT_FALSE(*fetch.next(cloud));
  }
  TargetFetch fetch = begin();
  while (!*fetch.next(cloud)) {
  }
  EXPECT_EQ(server.served, server.file.size()) << "nothing was pulled twice";
}

TEST_F(FetchTest, StartsOverWhenThePartFileWasTorn) {
  {
    TargetFetch fetch = begin();
    ASSERT_FALSE(*fetch.next(cloud));
    auto file = files.open(fetch.path(), OpenMode::write);
    ASSERT_TRUE((*file)->write_at(100, Bytes{1, 2, 3}));
  }
  TargetFetch fetch = begin();
  ASSERT_FALSE(*fetch.next(cloud));
  EXPECT_EQ(fetch.next(cloud).error().code, Code::damaged);
  while (true) {
    const auto whole = fetch.next(cloud);
    ASSERT_TRUE(whole) << whole.error().context;
    if (*whole) break;
  }
  EXPECT_EQ(*read_file(files, fetch.path(), server.file.size()), server.file);
}

TEST_F(FetchTest, TakesTheWholeFileFromAServerWithoutRange) {
  server.knows_range = false;
  TargetFetch fetch = begin();
  EXPECT_TRUE(*fetch.next(cloud));
  EXPECT_EQ(server.requests, 1);
}

TEST_F(FetchTest, RefusesOtherBytesAndMoreBytes) {
  const wire::TargetFile signed_file = target();
  server.file.back() ^= 1;
  TargetFetch fetch = *TargetFetch::begin(files, "fetch", signed_file, "targets/f");
  ASSERT_FALSE(*fetch.next(cloud));
  ASSERT_FALSE(*fetch.next(cloud));
  EXPECT_EQ(fetch.next(cloud).error().code, Code::damaged);
  EXPECT_FALSE(*files.exists(fetch.path()));

  server.knows_range = false;
  server.file.push_back(0);
  TargetFetch longer = *TargetFetch::begin(files, "fetch", signed_file, "targets/f");
  EXPECT_FALSE(longer.next(cloud));
  EXPECT_EQ(fetch_file(cloud, "targets/f", 100).error().code, Code::damaged);
}

TEST_F(FetchTest, KeepsWhatItHasWhileTheNetworkIsAway) {
  TargetFetch fetch = begin();
  ASSERT_FALSE(*fetch.next(cloud));
  cloud.online = false;
  EXPECT_EQ(fetch.next(cloud).error().code, Code::unavailable);
  cloud.online = true;
  while (!*fetch.next(cloud)) {
  }
  EXPECT_EQ(server.served, server.file.size());
}

TEST_F(FetchTest, KeepsOnlyOnePartFile) {
  TargetFetch first = begin();
  ASSERT_FALSE(*first.next(cloud));
  server.file[0] ^= 1;
  TargetFetch second = begin();
  ASSERT_FALSE(*second.next(cloud));
  EXPECT_EQ(files.list("fetch")->size(), 1U);
}

}  // namespace
}  // namespace hone::edge
