#include "cloud/service/service_testing.hpp"

namespace hone::cloud {
namespace {

class RouterTest : public testing::Cloud {};

TEST_F(RouterTest, SaysWhatIsWrongWithACall) {
  struct Case {
    const char* method;
    const char* path;
    int status;
  };
  const Case cases[] = {
      {"GET", "/v1/healthz", 200},
      {"GET", "/v1/healthz?x=1", 200},
      {"GET", "/v1/healthz/", 404},
      {"GET", "/", 404},
      {"GET", "", 404},
      {"GET", "/v2/healthz", 404},
      {"POST", "/v1/healthz", 405},
      {"GET", "/v1/status", 401},
      {"GET", "/v1/offer", 401},
      {"POST", "/v1/jobs/lease", 401},
      {"GET", "/repository/metadata/1.root.json", 200},
      {"GET", "/repository/metadata/../keys", 404},
      {"GET", "/repository/", 404},
      {"POST", "/v1/enroll", 400},
  };
  for (const auto& c : cases) {
    const auto response = call(c.method, c.path);
    EXPECT_EQ(response.status, c.status) << c.method << " " << c.path << " " << to_string(response.body);
    if (response.status >= 400) {
      const Json body = Json::parse(to_string(response.body));
      EXPECT_FALSE(body["error"].get<std::string>().empty()) << c.path;
      EXPECT_TRUE(body.contains("code")) << c.path;
    }
  }
  EXPECT_EQ(call("POST", "/v1/healthz").headers.at("allow"), "GET");
}

TEST_F(RouterTest, KeepsCallersApart) {
  const auto device = join();
  EXPECT_EQ(call("GET", "/v1/status", trainer()).status, 403);
  EXPECT_EQ(call("GET", "/v1/status", device.authorization).status, 403);
  EXPECT_EQ(call("POST", "/v1/jobs/lease", admin(), dump_bytes({{"trainer", "x"}})).status, 403);
  EXPECT_EQ(call("GET", "/v1/offer", admin()).status, 403);
  EXPECT_EQ(call("GET", "/v1/status", "Bearer wrong").status, 401);
}

TEST_F(RouterTest, RefusesBodiesThatAreTooLongOrNoJson) {
  EXPECT_EQ(call("POST", "/v1/tickets", admin(), Bytes(65 * 1024, ' ')).status, 413);
  EXPECT_EQ(call("POST", "/v1/tickets", admin(), to_bytes("{")).status, 400);
  EXPECT_EQ(call("POST", "/v1/tickets", admin(), to_bytes("[]")).status, 400);
  EXPECT_EQ(
      call("POST", "/v1/tickets", admin(), dump_bytes({{"pipeline", "pairs"}, {"count", 0}, {"valid_s", 1}})).status,
      400);
  EXPECT_EQ(call("POST", "/v1/tickets", admin(), dump_bytes({{"pipeline", "no"}, {"count", 1}, {"valid_s", 1}})).status,
            404);
  EXPECT_EQ(call("GET", "/v1/status", admin(), to_bytes("x")).status, 413) << "a GET has no body";
}

TEST_F(RouterTest, ChecksBlobsAgainstTheirNames) {
  const Bytes bytes = to_bytes("a model");
  EXPECT_EQ(call("PUT", "/v1/blobs/" + sha256(bytes).hex(), trainer(), bytes).status, 200);
  EXPECT_EQ(call("GET", "/v1/blobs/" + sha256(bytes).hex(), trainer()).body, bytes);
  EXPECT_EQ(call("PUT", "/v1/blobs/" + sha256(as_bytes("other")).hex(), trainer(), bytes).status, 422);
  EXPECT_EQ(call("GET", "/v1/blobs/" + sha256(as_bytes("other")).hex(), trainer()).status, 404);
  EXPECT_EQ(call("GET", "/v1/blobs/zz", trainer()).status, 400);
  EXPECT_EQ(call("GET", "/v1/datasets/" + sha256(bytes).hex(), trainer()).status, 404) << "a blob, but no dataset";
  EXPECT_EQ(call("PUT", "/v1/blobs/" + sha256(bytes).hex(), admin(), bytes).status, 403);
}

TEST_F(RouterTest, RefusesToCompleteAJobWithoutItsModel) {
  auto device = join();
  send(device, 200);
  settle();
  const auto job = lease();
  ASSERT_TRUE(job.has_value());
  wire::TrainedModel trained;
  trained.model = ModelHash{sha256(as_bytes("never uploaded"))};
  const auto path = "/v1/jobs/" + job->id.value + "/complete";
  EXPECT_EQ(call("POST", path, trainer(), dump_bytes(wire::to_json(trained))).status, 400);
  put(to_bytes("a model"));
  trained.model = ModelHash{sha256(to_bytes("a model"))};
  const auto refusal = [&](const wire::TrainedModel& incomplete) {
    const auto response = call("POST", path, trainer(), dump_bytes(wire::to_json(incomplete)));
    EXPECT_EQ(response.status, 400);
    return to_string(response.body);
  };
  const std::string absent = sha256(as_bytes("absent")).hex();
  auto with_export = trained;
  with_export.exports = {{"onnx-int8", ModelHash{sha256(as_bytes("absent"))}}};
  EXPECT_NE(refusal(with_export).find(absent), std::string::npos);
  auto with_hints = trained;
  with_hints.hints = BlobHash{sha256(as_bytes("absent"))};
  EXPECT_NE(refusal(with_hints).find(absent), std::string::npos);
  auto with_fallback = trained;
  with_fallback.fallback.emplace();
  with_fallback.fallback->model = ModelHash{sha256(as_bytes("absent"))};
  EXPECT_NE(refusal(with_fallback).find(absent), std::string::npos);
  EXPECT_EQ(call("POST", "/v1/jobs/job-99/complete", trainer(), dump_bytes(wire::to_json(trained))).status, 404);
  EXPECT_EQ(call("POST", "/v1/jobs/nonsense/fail", trainer(), dump_bytes({{"reason", "x"}})).status, 404);
}

}  // namespace
}  // namespace hone::cloud
