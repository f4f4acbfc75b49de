// A whole cloud in one process for tests: simulated clock, disk and randomness, SQLite in a file or in
// memory, ONNX Runtime, devices and a trainer that speak to handle(). The task is learnable by eye:
// a sample is two bytes, and its label says which of them is larger.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cloud/service/service.hpp"
#include "platform/sim/sim.hpp"
#include "shared/model/run/testing_model.hpp"
#include "shared/wire/batch.hpp"
#include "shared/wire/dataset.hpp"

namespace hone::cloud::testing {

constexpr const char* kPipeline = R"toml(
[pipeline]
name = "pairs"
[signal]
shape = [2]
dtype = "uint8"
labels = ["first", "second"]
[train]
recipe = "mlp"
layers = ["dense 2"]
first_at_samples = 200
when = { new_samples = 300, recipe_changed = true }
cooldown = "0s"
[gate]
metric = "accuracy"
goal = 0.97
first_goal = 0.5
margin = 0.003
holdout = 0.3
[delivery]
rollout = [100]
)toml";

// A folder for the database, which is a real file: SQLite brings its own crash safety.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hone-cloud-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct TestDevice {
  DeviceId id;
  std::string authorization;
  int batches = 0;
};

class Cloud : public ::testing::Test {
 protected:
  Cloud() {
    runtime = model::make_onnx_runtime().value();
    write_pipeline(kPipeline);
    signal.shape = {2};
    signal.dtype = wire::DType::uint8;
    signal.labels = {"first", "second"};
    start();
  }

  void write_pipeline(const std::string& toml) {
    ASSERT_TRUE(write_file_atomically(files, "pairs.toml", as_bytes(toml)).has_value());
  }

  // Also after a crash: all that was in memory is gone.
  void start() {
    service.reset();
    ServiceConfig config;
    config.data_folder = "data";
    config.database = folder.path() + "/hone.db";
    config.pipeline_files = {"pairs.toml"};
    config.url = "https://127.0.0.1:8443";
    config.ca_pem = "pem";
    ServicePorts ports{files,
                       clock,
                       random,
                       *runtime,
                       &hints,
                       nullptr,
                       [this] { ++wakes; },
                       [this](std::string_view line) { log.emplace_back(line); }};
    auto opened = Service::open(config, ports);
    ASSERT_TRUE(opened.has_value()) << opened.error().context;
    service = std::move(*opened);
  }

  // ---- talking to it ----

  HttpResponse call(const std::string& method, const std::string& path, const std::string& authorization = {},
                    Bytes body = {}) {
    HttpRequest request;
    request.method = method;
    request.path = path;
    if (!authorization.empty()) request.headers["authorization"] = authorization;
    request.body = std::move(body);
    return service->handle(request);
  }
  Json json(const HttpResponse& response) {
    EXPECT_TRUE(response.ok()) << response.status << " " << to_string(response.body);
    return Json::parse(to_string(response.body));
  }
  std::string admin() { return "Bearer " + service->admin_access().token; }
  std::string trainer() { return "Bearer " + service->trainer_access().token; }
  Json get(const std::string& path) { return json(call("GET", path, admin())); }
  Json post(const std::string& path, const Json& body) { return json(call("POST", path, admin(), dump_bytes(body))); }
  Json pipeline() { return get("/v1/status")["pipelines"][0]; }
  Json releases() { return get("/v1/pipelines/pairs/releases")["releases"]; }

  // Steps until nothing is due any more; the clock moves on, so that what waits for time comes, too.
  void settle() {
    for (int i = 0; i < 50; ++i) {
      const Duration sleep = service->step(clock.now());
      clock.advance(std::chrono::milliseconds(10));
      if (sleep > Duration(0)) return;
    }
    FAIL() << "the service never came to rest";
  }

  // ---- devices ----

  TestDevice join() {
    const Json tickets = post("/v1/tickets", {{"pipeline", "pairs"}, {"count", 1}, {"valid_s", 60}});
    const std::string token = tickets["tickets"][0]["token"];
    const Json reply = json(call("POST", "/v1/enroll", {}, dump_bytes({{"token", token}})));
    TestDevice device{DeviceId(reply["device"].get<std::string>()), {}, 0};
    device.authorization = "Bearer " + device.id.value + "." + reply["secret"].get<std::string>();
    return device;
  }

  wire::Batch samples(TestDevice& device, int rows) {
    wire::Batch batch;
    const std::string number = std::to_string(++device.batches);
    batch.id = BatchId(std::string(32 - number.size(), '0') + number);
    batch.device = device.id;
    batch.pipeline = PipelineName("pairs");
    for (int i = 0; i < rows; ++i) {
      const auto bits = random.next();
      batch.x.push_back(static_cast<std::uint8_t>(bits));
      batch.x.push_back(static_cast<std::uint8_t>(bits >> 8));
      batch.y.push_back(batch.x[batch.x.size() - 2] >= batch.x.back() ? 0 : 1);
      batch.t.push_back(unix_ms(clock.now()));
    }
    return batch;
  }
  HttpResponse upload(const TestDevice& device, const wire::Batch& batch) {
    return call("POST", "/v1/pipelines/pairs/batches", device.authorization, wire::encode(batch, signal).value());
  }
  void send(TestDevice& device, int rows) {
    const auto response = upload(device, samples(device, rows));
    ASSERT_EQ(response.status, 200) << to_string(response.body);
  }
  Json offer(const TestDevice& device, int running = 0) {
    return json(call("GET", "/v1/offer?running=" + std::to_string(running) + "&state=learning&spooled=3",
                     device.authorization));
  }
  HttpResponse tell(const TestDevice& device, int release, wire::OutcomeKind kind) {
    wire::Outcome outcome;
    outcome.release = {static_cast<std::uint64_t>(release)};
    outcome.kind = kind;
    outcome.live_at = clock.now();
    return call("POST", "/v1/outcomes", device.authorization, dump_bytes(wire::to_json(outcome)));
  }

  // ---- the trainer ----

  // `bias` in favour of the first label: 0 is always right, 100 is right about two times in three.
  Bytes model(float bias) {
    model::testing::LinearModel linear;
    linear.signal = signal;
    linear.weights = {1, 0, 0, 1};
    linear.bias = {bias, 0};
    return model::testing::onnx_bytes(linear);
  }
  std::optional<wire::Job> lease(const std::string& name = "t") {
    const auto response = call("POST", "/v1/jobs/lease", trainer(), dump_bytes({{"trainer", name}}));
    if (response.status == 204) return std::nullopt;
    return wire::job_from(json(response)).value();
  }
  void put(const Bytes& file) {
    ASSERT_EQ(call("PUT", "/v1/blobs/" + sha256(file).hex(), trainer(), file).status, 200);
  }
  void complete(const JobId& job, const Bytes& onnx) {
    wire::TrainedModel trained;
    trained.model = ModelHash{sha256(onnx)};
    trained.seconds_train = 1.5;
    put(onnx);
    complete(job, trained);
  }
  void complete(const JobId& job, const wire::TrainedModel& trained) {
    const auto response =
        call("POST", "/v1/jobs/" + job.value + "/complete", trainer(), dump_bytes(wire::to_json(trained)));
    ASSERT_EQ(response.status, 200) << to_string(response.body);
  }

  // From nothing to a first release that is right about two times in three.
  TestDevice learn_first_model() {
    TestDevice device = join();
    send(device, 200);
    settle();
    const auto job = lease();
    EXPECT_TRUE(job.has_value()) << pipeline().dump(1);
    if (job) complete(job->id, model(100));
    settle();
    return device;
  }

  struct Hints : HintSink {
    void publish(std::string_view pipeline, std::string_view payload) override {
      sent.emplace_back(std::string(pipeline) + " " + std::string(payload));
    }
    std::vector<std::string> sent;
  };

  platform::SimFiles files;
  platform::SimClock clock{from_unix_ms(1'763'870'000'000)};
  platform::SimRandom random{42};
  TemporaryFolder folder;
  std::unique_ptr<model::Runtime> runtime;
  wire::Signal signal;
  Hints hints;
  std::atomic<int> wakes = 0;
  std::vector<std::string> log;
  std::unique_ptr<Service> service;
};

}  // namespace hone::cloud::testing
