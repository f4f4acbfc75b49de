#include "cloud/service/access.hpp"

#include <gtest/gtest.h>

#include "cloud/store/sqlite/stores.hpp"
#include "platform/sim/sim.hpp"

namespace hone::cloud {
namespace {

struct AccessTest : ::testing::Test {
  AccessTest() {
    database = sqlite::Database::open(":memory:").value();
    store = sqlite::make_credential_store(*database);
    access = open();
    token = access->new_tokens(PipelineName("p"), 1, now + std::chrono::hours(1)).value().front();
  }
  std::unique_ptr<Access> open() { return Access::open(files, random, "data", "https://here", "pem", *store).value(); }
  static HttpRequest with(const std::string& authorization) {
    HttpRequest request;
    request.headers["authorization"] = authorization;
    return request;
  }

  Time now = from_unix_ms(1'000'000);
  platform::SimFiles files;
  platform::SimRandom random{1};
  std::unique_ptr<sqlite::Database> database;
  std::unique_ptr<CredentialStore> store;
  std::unique_ptr<Access> access;
  std::string token;
};

TEST_F(AccessTest, LetsADeviceJoinOnceAndSignIn) {
  const auto joined = access->enroll(token, "", now);
  ASSERT_TRUE(joined.has_value()) << joined.error().context;
  EXPECT_EQ(joined->pipeline.value, "p");
  EXPECT_EQ(joined->device.value.size(), 20U);
  const auto caller = access->authenticate(with("Bearer " + joined->device.value + "." + joined->secret));
  ASSERT_TRUE(caller.has_value());
  EXPECT_EQ(caller->who, Who::device);
  EXPECT_EQ(caller->device, joined->device);
  EXPECT_EQ(access->enroll(token, "", now).error().code, Code::untrusted) << "a token works once";
}

TEST_F(AccessTest, AnswersARepeatedRequestAsBefore) {
  const std::string nonce(32, 'a');
  const auto first = access->enroll(token, nonce, now);
  ASSERT_TRUE(first.has_value());
  access = open();  // even after a restart
  const auto again = access->enroll(token, nonce, now + std::chrono::hours(2));
  ASSERT_TRUE(again.has_value()) << again.error().context;
  EXPECT_EQ(again->secret, first->secret);
  EXPECT_EQ(again->device, first->device);
  EXPECT_EQ(access->enroll(token, std::string(32, 'b'), now).error().code, Code::untrusted);
  EXPECT_EQ(access->enroll(token, "", now).error().code, Code::untrusted);
}

TEST_F(AccessTest, RefusesTokensThatAreUnknownOrExpired) {
  const auto unknown = access->enroll("nonsense", "", now);
  EXPECT_EQ(unknown.error().code, Code::untrusted);
  const auto expired = access->enroll(token, "", now + std::chrono::hours(1));
  EXPECT_EQ(expired.error().code, Code::untrusted);
  EXPECT_NE(expired.error().context, unknown.error().context) << "each says what is wrong";
}

TEST_F(AccessTest, RefusesWrongCredentials) {
  const auto joined = access->enroll(token, "", now).value();
  for (const std::string& bad :
       {std::string("Bearer "), std::string("Basic abc"), "Bearer " + joined.device.value,
        "Bearer " + joined.device.value + ".", "Bearer " + joined.device.value + "." + joined.secret + "0",
        "Bearer dev-0000000000000000." + joined.secret, "Bearer " + joined.secret}) {
    const auto caller = access->authenticate(with(bad));
    ASSERT_FALSE(caller.has_value()) << bad;
    EXPECT_EQ(caller.error().code, Code::untrusted);
  }
  EXPECT_EQ(access->authenticate({})->who, Who::anybody);
}

TEST_F(AccessTest, KeepsItsTokensThroughARestartAndAMove) {
  const std::string trainer = access->trainer().token;
  const std::string admin = access->admin().token;
  EXPECT_NE(trainer, admin);
  access = Access::open(files, random, "data", "https://elsewhere", "pem", *store).value();
  EXPECT_EQ(access->trainer().token, trainer);
  EXPECT_EQ(access->trainer().url, "https://elsewhere");
  EXPECT_EQ(access->authenticate(with("Bearer " + trainer))->who, Who::trainer);
  EXPECT_EQ(access->authenticate(with("Bearer " + admin))->who, Who::admin);
}

TEST_F(AccessTest, SaysSoWhenItsKeyIsDamaged) {
  ASSERT_TRUE(write_file_atomically(files, "data/service.key", as_bytes("zz")).has_value());
  EXPECT_EQ(Access::open(files, random, "data", "u", "p", *store).error().code, Code::damaged);
}

}  // namespace
}  // namespace hone::cloud
