// The worker against a cloud of one function: what it hands in, and what it does when the cloud,
// the network or the lease goes away.
#include "trainer/client/worker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

#include "base/hash.hpp"
#include "platform/sim/sim.hpp"
#include "trainer/client/job_log_sink.hpp"
#include "trainer/client/testing_cloud.hpp"

namespace hone::trainer {
namespace {

using namespace testing;
using ::testing::HasSubstr;

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() {
    config.name = "trainer-1";
    config.work_folder = "/trainer";
  }
  Worker& worker() {
    if (!worker_) {
      worker_.emplace(config, WorkerPorts{http, files, clock, keeper,
                                          [this](Duration d) {
                                            clock.advance(d);
                                            ++waits;
                                            return !stop;
                                          },
                                          [this] { return stop; }});
    }
    return *worker_;
  }
  StepResult step() {
    const auto result = worker().step_once();
    EXPECT_TRUE(result) << result.error().context;
    return result.value_or(StepResult::idle);
  }

  FakeCloud cloud;
  platform::SimRandom random{1};
  platform::SimFiles files;
  platform::SimClock clock{from_unix_ms(1000)};
  platform::SimHttpClient http{[this](const HttpRequest& request) { return cloud.handle(request); }, random};
  LeaseKeeper keeper{http, clock};
  WorkerConfig config;
  int waits = 0;
  bool stop = false;

 private:
  std::optional<Worker> worker_;
};

TEST_F(WorkerTest, HandsInAModelForALeasedJob) {
  EXPECT_EQ(step(), StepResult::trained);
  ASSERT_TRUE(cloud.model);
  EXPECT_TRUE(cloud.blobs.contains(cloud.model->model.hex()));
  EXPECT_GT(cloud.model->validation_metric, 0.5);
  EXPECT_EQ(cloud.model->lineage["rows"], 399);
  EXPECT_EQ(cloud.model->lineage["rows_without_a_label"], 1);
  EXPECT_FALSE(cloud.points.empty());
  EXPECT_TRUE(cloud.failed_because.empty());
}

TEST_F(WorkerTest, IsIdleWithoutAJob) {
  cloud.leased = true;
  EXPECT_EQ(step(), StepResult::idle);
}

TEST_F(WorkerTest, FetchesTheShardsOfAnEarlierJobOnlyOnce) {
  EXPECT_EQ(step(), StepResult::trained);
  EXPECT_EQ(cloud.requests["GET blobs"], 4);
  cloud.leased = false;
  EXPECT_EQ(step(), StepResult::trained);
  EXPECT_EQ(cloud.requests["GET blobs"], 4);
}

TEST_F(WorkerTest, FetchesACachedShardAgainThatHasRotted) {
  EXPECT_EQ(step(), StepResult::trained);
  const std::string path = "/trainer/blobs/" + cloud.manifest.training[0].x.hex();
  auto file = files.open(path, OpenMode::write);
  ASSERT_TRUE(file) << file.error().context;
  ASSERT_TRUE((*file)->write_at(200, to_bytes("rot")));
  cloud.leased = false;
  EXPECT_EQ(step(), StepResult::trained);
  EXPECT_EQ(cloud.requests["GET blobs"], 5);
}

TEST_F(WorkerTest, KeepsItsCacheWithinItsBound) {
  config.cache_bytes_max = 0;
  EXPECT_EQ(step(), StepResult::trained);
  cloud.leased = false;
  cloud.manifest.training.erase(cloud.manifest.training.begin());
  cloud.job.dataset = wire::hash_of(cloud.manifest);
  EXPECT_EQ(step(), StepResult::trained);
  EXPECT_EQ(files.list("/trainer/blobs")->size(), 2u);  // what the last job used
}

TEST_F(WorkerTest, BeginsFromTheDeployedModel) {
  EXPECT_EQ(step(), StepResult::trained);
  cloud.job.base = cloud.model->model;
  cloud.leased = false;
  EXPECT_EQ(step(), StepResult::trained);
  EXPECT_TRUE(cloud.model->lineage["warm_start"].get<bool>());
}

TEST_F(WorkerTest, BeginsFromScratchWhenTheBaseIsGone) {
  cloud.job.base = ModelHash{sha256(as_bytes("gone"))};
  EXPECT_EQ(step(), StepResult::trained);
  EXPECT_FALSE(cloud.model->lineage["warm_start"].get<bool>());
}

TEST_F(WorkerTest, FailsTheJobWhenAShardStaysDamaged) {
  cloud.blobs[cloud.manifest.training[1].x.hex()].back() ^= 1;
  EXPECT_EQ(step(), StepResult::failed);
  EXPECT_THAT(cloud.failed_because, HasSubstr("have another hash"));
  EXPECT_THAT(cloud.failed_because, HasSubstr(cloud.manifest.training[1].x.hex()));
  EXPECT_FALSE(cloud.model);
}

TEST_F(WorkerTest, FailsTheJobWhosePipelineItCannotRead) {
  cloud.job.pipeline_toml = std::string(kPairsToml) + "goals = 1\n";
  EXPECT_EQ(step(), StepResult::failed);
  EXPECT_THAT(cloud.failed_because, HasSubstr("pairs.toml:20:1: unknown key 'goals'"));
}

TEST_F(WorkerTest, FailsTheJobWhoseRowsNobodyLabelled) {
  Rows rows = four_pairs(300, 1);
  rows.y.assign(rows.y.size(), -1);
  cloud.manifest.training = {cloud.shard_of(rows)};
  cloud.job.dataset = wire::hash_of(cloud.manifest);
  EXPECT_EQ(step(), StepResult::failed);
  EXPECT_THAT(cloud.failed_because, HasSubstr("no row has a label, and the recipe 'mlp' learns labels"));
}

TEST_F(WorkerTest, FailsTheJobWhoseDataHasAnotherSignal) {
  cloud.manifest.signal.scale = 1;
  cloud.job.dataset = wire::hash_of(cloud.manifest);
  EXPECT_EQ(step(), StepResult::failed);
  EXPECT_THAT(cloud.failed_because, HasSubstr("another [signal]"));
}

TEST_F(WorkerTest, RefusesADatasetLargerThanItsMemory) {
  config.dataset_bytes_max = 399 * 8;
  EXPECT_EQ(step(), StepResult::failed);
  EXPECT_THAT(cloud.failed_because, HasSubstr("larger than this trainer takes"));
}

TEST_F(WorkerTest, StopsQuietlyWhenTheCloudCancels) {
  cloud.cancel = true;
  EXPECT_EQ(step(), StepResult::lost);
  EXPECT_FALSE(cloud.model);
  EXPECT_TRUE(cloud.failed_because.empty());
  EXPECT_EQ(cloud.requests["PUT blobs"], 0);
}

TEST_F(WorkerTest, StopsQuietlyWhenItsLeaseIsOver) {
  cloud.forgotten = true;
  EXPECT_EQ(step(), StepResult::lost);
  EXPECT_TRUE(cloud.failed_because.empty());
}

TEST_F(WorkerTest, StopsQuietlyWhenOnlyTheCompletionIsRefused) {
  config.beats_elsewhere = true;  // no heartbeat tells it
  cloud.forgotten = true;
  EXPECT_EQ(step(), StepResult::lost);
  EXPECT_TRUE(cloud.failed_because.empty());
}

TEST_F(WorkerTest, StopsQuietlyWhenTheProcessEnds) {
  cloud.refuse = [this](const HttpRequest& request) {
    if (request.path.ends_with("/heartbeat")) stop = true;
    return false;
  };
  EXPECT_EQ(step(), StepResult::lost);
  EXPECT_TRUE(cloud.failed_because.empty());
  EXPECT_FALSE(cloud.model);
}

TEST_F(WorkerTest, OutlivesARestartOfTheCloudAtEveryRequest) {
  std::map<std::string, int> refused;  // the first two of each kind, the lease apart
  cloud.refuse = [&](const HttpRequest& request) {
    if (request.path.ends_with("/lease")) return false;
    return ++refused[request.method + request.path] <= 2;
  };
  EXPECT_EQ(step(), StepResult::trained);
  EXPECT_TRUE(cloud.model);
  EXPECT_GE(waits, 2 * 7);  // manifest, four blobs, upload, completion
}

TEST_F(WorkerTest, OutlivesANetworkThatLosesAndDamagesAnswers) {
  http.faults.drop_request = 0.15;
  http.faults.drop_response = 0.15;
  http.faults.truncate = 0.05;
  for (int round = 0; round < 20 && !cloud.model; ++round) {
    cloud.leased = false;  // a lease whose answer was lost has expired
    (void)worker().step_once();
  }
  EXPECT_TRUE(cloud.model);
}

TEST_F(WorkerTest, LetsAJobGoWhenTheCloudStaysAway) {
  config.patience = std::chrono::seconds(30);
  cloud.refuse = [](const HttpRequest& request) { return !request.path.ends_with("/lease"); };
  EXPECT_EQ(step(), StepResult::failed);
  EXPECT_FALSE(cloud.model);
}

// As hone-trainer does it: what is logged during a job goes to the cloud.
class LoggedWorkerTest : public WorkerTest {
 protected:
  LoggedWorkerTest() { spdlog::default_logger()->sinks().push_back(sink_); }
  ~LoggedWorkerTest() override { spdlog::default_logger()->sinks().pop_back(); }

 private:
  std::shared_ptr<JobLogSink> sink_ = std::make_shared<JobLogSink>(keeper);
};

TEST_F(LoggedWorkerTest, TellsTheCloudWhatItLogged) {
  EXPECT_EQ(step(), StepResult::trained);
  ASSERT_GE(cloud.log.size(), 3u);
  EXPECT_THAT(cloud.log.at(1), HasSubstr("info: job-1: pairs (400 new samples)"));
  EXPECT_THAT(cloud.log.rbegin()->second, HasSubstr("trained in"));
  EXPECT_EQ(cloud.log.rbegin()->first, static_cast<std::int64_t>(cloud.log.size())) << "none is missing";
}

TEST_F(LoggedWorkerTest, TellsWhyAJobFailed) {
  cloud.manifest.signal.scale = 1;
  cloud.job.dataset = wire::hash_of(cloud.manifest);
  EXPECT_EQ(step(), StepResult::failed);
  ASSERT_FALSE(cloud.log.empty());
  EXPECT_THAT(cloud.log.rbegin()->second, HasSubstr("another [signal]"));
}

TEST_F(LoggedWorkerTest, LinesOfAJobStayWithIt) {
  EXPECT_EQ(step(), StepResult::trained);
  const auto first = cloud.log;
  cloud.log.clear();
  cloud.leased = false;
  EXPECT_EQ(step(), StepResult::trained);
  EXPECT_EQ(cloud.log.begin()->first, 1);
  EXPECT_EQ(cloud.log.begin()->second, first.begin()->second);
}

TEST(JobLogTest, ForgetsTheOldestWhenNobodyTakesThem) {
  JobLog log;
  for (std::size_t i = 0; i < kPendingLogLinesMax + 5; ++i) log.add(from_unix_ms(0), "line\n");
  EXPECT_EQ(log.next().size(), wire::kLogLinesMax);
  EXPECT_EQ(log.next().front().number, 6);
  EXPECT_EQ(log.next().front().text, "line");
  log.told(log.next().back().number);
  EXPECT_EQ(log.next().front().number, 6 + static_cast<std::int64_t>(wire::kLogLinesMax));
  log.begin();
  EXPECT_TRUE(log.empty());
}

TEST_F(WorkerTest, SaysWhenItsTokenIsNotAccepted) {
  cloud.leased = true;
  platform::SimHttpClient stranger(
      [](const HttpRequest&) { return response_of(Error(Code::untrusted, "who are you")); }, random);
  Worker outsider(config, WorkerPorts{stranger, files, clock, keeper, [](Duration) { return true; }});
  const auto result = outsider.step_once();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::untrusted);
}

TEST_F(WorkerTest, AsksMoreSlowlyWhileNobodyAnswers) {
  http.online = false;
  std::vector<Duration> pauses;
  const WorkerPorts ports{http, files, clock, keeper, [&](Duration d) {
                            pauses.push_back(d);
                            return pauses.size() < 8;
                          }};
  Worker alone(config, ports);
  run_worker(alone, ports);
  EXPECT_EQ(pauses.front(), std::chrono::milliseconds(250));
  EXPECT_EQ(pauses.back(), std::chrono::seconds(5));
  EXPECT_TRUE(std::is_sorted(pauses.begin(), pauses.end()));
}

TEST(LeaseKeeperTest, BeatsWithinAThirdOfTheLeaseWithoutNews) {
  platform::SimRandom random(1);
  platform::SimClock clock(from_unix_ms(0));
  int beats = 0;
  platform::SimHttpClient http(
      [&](const HttpRequest&) {
        ++beats;
        return HttpResponse{200, {}, dump_bytes(wire::to_json(wire::HeartbeatReply{}))};
      },
      random);
  LeaseKeeper keeper(http, clock);
  keeper.tick();
  EXPECT_EQ(beats, 0);  // nothing is held
  keeper.hold(JobId("job-1"), std::chrono::seconds(15));
  for (int i = 0; i < 150; ++i) {  // fifteen seconds
    clock.advance(std::chrono::milliseconds(100));
    keeper.tick();
  }
  EXPECT_EQ(beats, 3);
  keeper.release();
  clock.advance(std::chrono::seconds(60));
  keeper.tick();
  EXPECT_EQ(beats, 3);
}

TEST(LeaseKeeperTest, KeepsTheJobWhileTheCloudIsDown) {
  platform::SimRandom random(1);
  platform::SimClock clock(from_unix_ms(0));
  platform::SimHttpClient http([](const HttpRequest&) { return HttpResponse{503, {}, {}}; }, random);
  LeaseKeeper keeper(http, clock);
  keeper.hold(JobId("job-1"), std::chrono::seconds(15));
  for (int i = 0; i < 10; ++i) {
    clock.advance(std::chrono::seconds(10));
    http.online = i % 2 == 0;
    keeper.tick();
  }
  EXPECT_FALSE(keeper.lost());
}

}  // namespace
}  // namespace hone::trainer
