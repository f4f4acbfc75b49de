#include <gtest/gtest.h>

#include "platform/sim/sim.hpp"

namespace hone::platform {
namespace {

class SimHttp : public ::testing::Test {
 protected:
  Result<HttpResponse> send(std::uint64_t bytes_max = 1000) {
    HttpRequest request;
    request.path = "/x";
    return client.send(request, {.response_bytes_max = bytes_max, .timeout = std::chrono::seconds(1)});
  }

  int served = 0;
  HttpRequest last;
  SimRandom random{1};
  SimHttpClient client{[this](const HttpRequest& request) {
                         ++served;
                         last = request;
                         return HttpResponse{200, {{"a", "b"}}, to_bytes("hello")};
                       },
                       random, "Bearer t"};
};

TEST_F(SimHttp, HandsTheRequestOverWithItsCredential) {
  const auto response = send();
  ASSERT_TRUE(response);
  EXPECT_EQ(to_string(response->body), "hello");
  EXPECT_EQ(response->headers.at("a"), "b");
  EXPECT_EQ(last.path, "/x");
  EXPECT_EQ(last.headers.at("authorization"), "Bearer t");
}

TEST_F(SimHttp, LosesTheRequestBeforeTheServerSeesItAndTheAnswerAfter) {
  client.faults.drop_request = 1;
  EXPECT_EQ(send().error().code, Code::unavailable);
  EXPECT_EQ(served, 0);
  client.faults = {.drop_request = 0, .drop_response = 1, .truncate = 0, .corrupt = 0};
  EXPECT_EQ(send().error().code, Code::unavailable);
  EXPECT_EQ(served, 1);
  client.faults = {};
  client.online = false;
  EXPECT_EQ(send().error().code, Code::unavailable);
  EXPECT_EQ(served, 1);
}

TEST_F(SimHttp, ReportsAnAnswerThatIsCutOrTooLongAsDamaged) {
  EXPECT_TRUE(send(5));
  EXPECT_EQ(send(4).error().code, Code::damaged);
  client.faults.truncate = 1;
  EXPECT_EQ(send().error().code, Code::damaged);
}

TEST_F(SimHttp, FlipsOneByteWhenItCorrupts) {
  client.faults.corrupt = 1;
  const auto response = send();
  ASSERT_TRUE(response);
  ASSERT_EQ(response->body.size(), 5U);
  int differing = 0;
  for (int i = 0; i < 5; ++i) differing += response->body[i] != static_cast<std::uint8_t>("hello"[i]);
  EXPECT_EQ(differing, 1);
}

TEST_F(SimHttp, FailsAboutAsOftenAsAsked) {
  client.faults.drop_request = 0.25;
  for (int i = 0; i < 2000; ++i) (void)send();
  EXPECT_NEAR(served, 1500, 80);
}

}  // namespace
}  // namespace hone::platform
