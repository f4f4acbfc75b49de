#include "cloud/service/service.hpp"

#include <thread>

#include "cloud/service/service_testing.hpp"
#include "shared/wire/job_log.hpp"

namespace hone::cloud {
namespace {

using testing::TestDevice;

class ServiceTest : public testing::Cloud {};

TEST_F(ServiceTest, GoesFromSamplesToAnOffer) {
  TestDevice device = join();
  EXPECT_EQ(offer(device)["release"], 0);
  EXPECT_EQ(offer(device)["collect"], "all");
  EXPECT_EQ(pipeline()["state"], "bootstrapping");

  send(device, 199);
  settle();
  EXPECT_FALSE(lease().has_value()) << "one sample too few";
  EXPECT_EQ(pipeline()["next_trigger"]["samples_missing"], 1);
  const auto before = unix_ms(clock.now());
  send(device, 1);
  settle();
  const auto job = lease();
  ASSERT_TRUE(job.has_value());
  EXPECT_FALSE(job->base.has_value());

  const Json manifest = json(call("GET", "/v1/datasets/" + job->dataset.hex(), trainer()));
  const auto dataset = wire::dataset_manifest_from(dump_bytes(manifest)).value();
  EXPECT_EQ(dataset.training_rows() + dataset.holdout_rows(), 200);
  EXPECT_EQ(call("GET", "/v1/blobs/" + dataset.training[0].x.hex(), trainer()).status, 200);

  wire::ProgressPoint point;
  point.progress = 0.5;
  const auto beat =
      json(call("POST", "/v1/jobs/" + job->id.value + "/heartbeat", trainer(), dump_bytes(wire::to_json(point))));
  EXPECT_EQ(beat["cancel"], false);
  EXPECT_EQ(pipeline()["job"]["progress"], 0.5);

  complete(job->id, model(100));
  settle();
  const Json release = releases().at(0);
  EXPECT_EQ(release["seq"], 1);
  EXPECT_EQ(release["state"], "published");
  EXPECT_EQ(release["verdict"], "promote");
  EXPECT_GT(release["value"], 0.5);
  EXPECT_FALSE(release["goal_met"].get<bool>());
  EXPECT_EQ(release["full_bytes"], model(100).size());
  EXPECT_EQ(release["timings"]["last_sample"], before);
  EXPECT_EQ(release["timings"]["seconds_train"], 1.5);
  EXPECT_EQ(offer(device)["release"], 1);
  EXPECT_EQ(offer(device)["collect"], "all");
  EXPECT_EQ(pipeline()["state"], "learning");
  ASSERT_EQ(hints.sent.size(), 1U);
  EXPECT_EQ(hints.sent[0], "pairs {\"release\":1}");
  EXPECT_EQ(call("GET", "/repository/metadata/timestamp.json").status, 200);
}

TEST_F(ServiceTest, BetterModelTravelsAsADeltaAndStopsTheUploads) {
  TestDevice device = learn_first_model();
  EXPECT_EQ(tell(device, 1, wire::OutcomeKind::confirmed).status, 200);
  send(device, 300);
  settle();
  const auto job = lease();
  ASSERT_TRUE(job.has_value()) << pipeline().dump(1);
  EXPECT_EQ(job->base, ModelHash{sha256(model(100))}) << "warm, from the deployed model";
  EXPECT_EQ(job->base_release.value, 1U);
  EXPECT_EQ(get("/v1/jobs/" + job->id.value)["base_release"], 1);
  EXPECT_EQ(job->reason, "300 new samples");
  complete(job->id, model(0));
  settle();
  const Json release = releases().at(0);
  EXPECT_EQ(release["seq"], 2);
  EXPECT_TRUE(release["goal_met"].get<bool>());
  ASSERT_EQ(release["deltas"].size(), 1U);
  EXPECT_EQ(release["deltas"][0]["base"], sha256(model(100)).hex());
  EXPECT_LT(release["deltas"][0]["bytes"], release["full_bytes"]);
  EXPECT_EQ(offer(device, 1)["release"], 2);
  EXPECT_EQ(offer(device, 1)["collect"], "none");
  const auto late = json(upload(device, samples(device, 1)));
  EXPECT_EQ(late["collect"], "none");
  const Json verdict = get("/v1/pipelines/pairs/verdicts")["verdicts"][0];
  EXPECT_EQ(verdict["release"], 2);
  EXPECT_EQ(verdict["numbers"]["verdict"]["candidate_metric"], release["value"]);
  EXPECT_GT(verdict["numbers"]["verdict"]["gain_bounds"]["lower"], 0.003);
}

TEST_F(ServiceTest, HoldsBackAModelThatIsNoBetter) {
  TestDevice device = learn_first_model();
  send(device, 300);
  settle();
  complete(lease()->id, model(101));
  settle();
  EXPECT_EQ(releases().size(), 1U);
  EXPECT_NE(get("/v1/pipelines/pairs/verdicts")["verdicts"][0]["decision"], "promote");
  EXPECT_EQ(get("/v1/pipelines/pairs/verdicts")["verdicts"].size(), 2U);
  EXPECT_FALSE(lease().has_value()) << "and waits for new samples";
}

TEST_F(ServiceTest, TriesTheFallbackOnceAsASecondLook) {
  TestDevice device = learn_first_model();
  send(device, 300);
  settle();
  wire::TrainedModel trained;
  trained.model = ModelHash{sha256(model(101))};
  trained.fallback.emplace();
  trained.fallback->model = ModelHash{sha256(model(0))};
  put(model(101));
  put(model(0));
  complete(lease()->id, trained);
  settle();
  const Json verdict = get("/v1/pipelines/pairs/verdicts")["verdicts"][0];
  EXPECT_EQ(verdict["decision"], "promote") << verdict.dump(1);
  EXPECT_EQ(verdict["first_look"]["decision"], "hold");
  EXPECT_EQ(verdict["first_look"]["numbers"]["look"]["number"], 1);
  EXPECT_EQ(verdict["numbers"]["look"]["number"], 2) << "and is paid for as one";
  EXPECT_GT(verdict["numbers"]["verdict"]["look_confidence"], verdict["first_look"]["numbers"]["verdict"]["look_confidence"]);
  ASSERT_EQ(releases().size(), 2U);
  EXPECT_EQ(releases().at(0)["model"], sha256(model(0)).hex());
}

TEST_F(ServiceTest, HoldsWhenTheFallbackIsNoBetterEitherAndCountsBothLooks) {
  TestDevice device = learn_first_model();
  send(device, 300);
  settle();
  wire::TrainedModel trained;
  trained.model = ModelHash{sha256(to_bytes("no model"))};
  trained.fallback.emplace();
  trained.fallback->model = ModelHash{sha256(model(101))};
  put(to_bytes("no model"));
  put(model(101));
  complete(lease()->id, trained);
  settle();
  Json verdict = get("/v1/pipelines/pairs/verdicts")["verdicts"][0];
  EXPECT_EQ(verdict["first_look"]["decision"], "reject");
  EXPECT_EQ(verdict["decision"], "hold");
  EXPECT_EQ(verdict["numbers"]["look"]["number"], 1) << "what cannot be run was no look";
  EXPECT_EQ(releases().size(), 1U);

  // The other way round: the newest look is the first one's.
  const auto train_by_hand = [&] {
    send(device, 30);
    ASSERT_EQ(call("POST", "/v1/pipelines/pairs/train", admin(), dump_bytes(Json::object())).status, 200);
    settle();
  };
  train_by_hand();
  std::swap(trained.model, trained.fallback->model);
  complete(lease()->id, trained);
  settle();
  verdict = get("/v1/pipelines/pairs/verdicts")["verdicts"][0];
  EXPECT_EQ(verdict["decision"], "reject");
  EXPECT_EQ(verdict["first_look"]["numbers"]["look"]["number"], 2);
  train_by_hand();
  complete(lease()->id, model(102));
  settle();
  verdict = get("/v1/pipelines/pairs/verdicts")["verdicts"][0];
  EXPECT_EQ(verdict["numbers"]["look"]["number"], 3);
}

// `model(0)` is always right; the exports here are right so often, or no model at all.
TEST_F(ServiceTest, ShipsTheExportsThatLoseLittleAndSaysWhyOthersDoNot) {
  TestDevice device = join();
  send(device, 200);
  settle();
  wire::TrainedModel trained;
  trained.model = ModelHash{sha256(model(0))};
  trained.exports = {{"onnx-int8", ModelHash{sha256(model(0.25F))}},
                     {"coarse", ModelHash{sha256(model(100))}},
                     {"broken", ModelHash{sha256(to_bytes("no model"))}}};
  for (const Bytes& file : {model(0), model(0.25F), model(100), to_bytes("no model")}) put(file);
  complete(lease()->id, trained);
  settle();
  const Json exports = get("/v1/pipelines/pairs/verdicts")["verdicts"][0]["exports"];
  ASSERT_EQ(exports.size(), 3U) << exports.dump(1);
  EXPECT_TRUE(exports[0]["ships"].get<bool>());
  EXPECT_EQ(exports[0]["value"], exports[0]["plain_value"]);
  EXPECT_FALSE(exports[1]["ships"].get<bool>());
  EXPECT_LT(exports[1]["value"], exports[1]["plain_value"]);
  EXPECT_NE(exports[1]["reason"].get<std::string>().find("it would lose more than the 0.0050"), std::string::npos) << exports[1].dump();
  EXPECT_FALSE(exports[2]["ships"].get<bool>());
  EXPECT_NE(exports[2]["reason"].get<std::string>().find("cannot be used"), std::string::npos);

  ASSERT_EQ(releases().size(), 1U);
  Json shipped = releases().at(0)["exports"];
  ASSERT_EQ(shipped.size(), 1U);
  EXPECT_EQ(shipped[0]["format"], "onnx-int8");
  EXPECT_EQ(shipped[0]["full_bytes"], model(0.25F).size());
  EXPECT_TRUE(shipped[0]["deltas"].empty());
  const std::string hex = sha256(model(0.25F)).hex();
  EXPECT_EQ(call("GET", "/repository/targets/models/pairs/" + hex + "." + hex + ".onnx").status, 200);
}

TEST_F(ServiceTest, AnExportsDeltaComesFromTheEarlierExportAndARollbackBringsItBack) {
  TestDevice device = join();
  send(device, 200);
  settle();
  const auto hand_in = [&](float bias, float bias8) {
    wire::TrainedModel trained;
    trained.model = ModelHash{sha256(model(bias))};
    trained.exports = {{"onnx-int8", ModelHash{sha256(model(bias8))}}};
    put(model(bias));
    put(model(bias8));
    complete(lease()->id, trained);
    settle();
  };
  hand_in(100, 100.5F);
  send(device, 300);
  settle();
  hand_in(0, 0.25F);
  ASSERT_EQ(releases().size(), 2U);
  const Json deltas = releases().at(0)["exports"].at(0)["deltas"];
  ASSERT_EQ(deltas.size(), 1U);
  EXPECT_EQ(deltas[0]["base"], sha256(model(100.5F)).hex());
  EXPECT_EQ(call("POST", "/v1/pipelines/pairs/rollback", admin(), dump_bytes({{"to", 1}})).status, 200);
  settle();
  ASSERT_EQ(releases().size(), 3U);
  const Json back = releases().at(0)["exports"];
  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(back[0]["model"], sha256(model(100.5F)).hex());
  EXPECT_EQ(back[0]["deltas"].at(0)["base"], sha256(model(0.25F)).hex());
}

TEST_F(ServiceTest, ATicketIsForAFormatThatThePipelineExports) {
  const auto ticket = [&](const char* format) {
    return call("POST", "/v1/tickets", admin(),
                dump_bytes({{"pipeline", "pairs"}, {"count", 1}, {"valid_s", 60}, {"format", format}}));
  };
  EXPECT_FALSE(json(ticket("onnx"))["tickets"][0].contains("format"));
  EXPECT_EQ(ticket("onnx-int8").status, 400);
  write_pipeline(std::string(testing::kPipeline) + "[export]\nformats = [\"onnx\", \"onnx-int8\"]\n");
  start();
  EXPECT_EQ(json(ticket("onnx-int8"))["tickets"][0]["format"], "onnx-int8");
}

TEST_F(ServiceTest, RejectsAFileThatIsNoModel) {
  TestDevice device = join();
  send(device, 200);
  settle();
  complete(lease()->id, to_bytes("this is no ONNX file"));
  settle();
  const Json verdict = get("/v1/pipelines/pairs/verdicts")["verdicts"][0];
  EXPECT_EQ(verdict["decision"], "reject");
  EXPECT_TRUE(releases().empty());
}

TEST_F(ServiceTest, RollsBackUnderAHigherNumber) {
  TestDevice device = learn_first_model();
  send(device, 300);
  settle();
  complete(lease()->id, model(0));
  settle();
  EXPECT_EQ(call("POST", "/v1/pipelines/pairs/rollback", admin(), dump_bytes({{"to", 9}})).status, 404);
  EXPECT_EQ(call("POST", "/v1/pipelines/pairs/rollback", admin(), dump_bytes({{"to", 2}})).status, 400);
  EXPECT_EQ(post("/v1/pipelines/pairs/rollback", {{"to", 1}, {"reason", "it squints"}})["release"], 3);
  settle();
  const Json release = releases().at(0);
  EXPECT_EQ(release["seq"], 3);
  EXPECT_EQ(release["state"], "published");
  EXPECT_EQ(release["model"], sha256(model(100)).hex());
  EXPECT_EQ(release["note"], "rollback of 2 to 1: it squints");
  ASSERT_EQ(release["deltas"].size(), 1U);
  EXPECT_EQ(release["deltas"][0]["base"], sha256(model(0)).hex());
  EXPECT_EQ(offer(device, 2)["release"], 3);
  EXPECT_EQ(offer(device, 2)["collect"], "all") << "the older model does not meet the goal";
}

TEST_F(ServiceTest, StoresAResentBatchOnce) {
  TestDevice device = join();
  auto batch = samples(device, 10);
  EXPECT_EQ(json(upload(device, batch))["stored"], 10);
  const int woken = wakes;
  const Json again = json(upload(device, batch));
  EXPECT_EQ(again["stored"], 0);
  EXPECT_EQ(again["duplicate"], true);
  EXPECT_EQ(wakes, woken);
  batch.x[0] ^= 1;
  batch.y[0] ^= 1;
  EXPECT_EQ(upload(device, batch).status, 422);
  EXPECT_EQ(pipeline()["received"]["rows"], 10);
}

TEST_F(ServiceTest, RefusesBatchesThatDoNotFitWithASentence) {
  TestDevice device = join();
  const auto batch = samples(device, 10);
  EXPECT_EQ(call("POST", "/v1/pipelines/pairs/batches", device.authorization, to_bytes("rubbish")).status, 422);
  EXPECT_EQ(call("POST", "/v1/pipelines/other/batches", device.authorization, {}).status, 403);
  EXPECT_EQ(call("POST", "/v1/pipelines/pairs/batches", device.authorization, Bytes(wire::kBatchCompressedBytesMax + 1))
                .status,
            413);
  EXPECT_EQ(call("POST", "/v1/pipelines/pairs/batches", trainer(), {}).status, 403);
  EXPECT_EQ(call("POST", "/v1/pipelines/pairs/batches", {}, {}).status, 401);
  signal.shape = {1, 2};
  const auto refused = upload(device, batch);
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(Json::parse(to_string(refused.body))["code"], "invalid");
}

TEST_F(ServiceTest, AcknowledgesNothingOnAFullDisk) {
  TestDevice device = join();
  const auto batch = samples(device, 10);
  files.set_capacity(1);
  EXPECT_EQ(upload(device, batch).status, 507);
  files.set_capacity(1u << 30);
  EXPECT_EQ(json(upload(device, batch))["duplicate"], false);
  EXPECT_EQ(pipeline()["received"]["rows"], 10);
}

TEST_F(ServiceTest, TrainsWhenAskedByHand) {
  EXPECT_EQ(call("POST", "/v1/pipelines/pairs/train", admin(), dump_bytes({{"reason", "x"}})).status, 400)
      << "no samples";
  EXPECT_EQ(call("POST", "/v1/pipelines/nothing/train", admin(), dump_bytes(Json::object())).status, 404);
  TestDevice device = join();
  send(device, 50);
  EXPECT_EQ(post("/v1/pipelines/pairs/train", {{"reason", "to see it run"}})["job"], "job-1");
  EXPECT_EQ(call("POST", "/v1/pipelines/pairs/train", admin(), dump_bytes(Json::object())).status, 400)
      << "one at a time";
  settle();
  const auto job = lease();
  ASSERT_TRUE(job.has_value());
  EXPECT_EQ(job->reason, "to see it run");
}

TEST_F(ServiceTest, TrainsAgainWhenTheRecipeChanges) {
  learn_first_model();
  EXPECT_FALSE(lease().has_value());
  std::string edited = testing::kPipeline;
  edited.replace(edited.find("[\"dense 2\"]"), 11, "[\"dense 8\", \"relu\", \"dense 2\"]");
  write_pipeline(edited);
  clock.advance(std::chrono::seconds(3));
  settle();
  const auto job = lease();
  ASSERT_TRUE(job.has_value()) << pipeline().dump(1);
  EXPECT_NE(job->pipeline_toml.find("dense 8"), std::string::npos);
}

TEST_F(ServiceTest, ShowsABrokenEditAndGoesOnWithTheOldFile) {
  write_pipeline("\n[pipelin]\n" + std::string(testing::kPipeline));
  clock.advance(std::chrono::seconds(3));
  settle();
  const std::string error = pipeline()["file_error"];
  EXPECT_NE(error.find("pairs.toml:2"), std::string::npos) << error;
  TestDevice device = join();
  send(device, 10);
  EXPECT_EQ(pipeline()["received"]["rows"], 10);
}

TEST_F(ServiceTest, GivesAJobToAnotherTrainerWhenOneDies) {
  TestDevice device = join();
  send(device, 200);
  settle();
  const auto first = lease("dies");
  clock.advance(std::chrono::seconds(16));
  settle();
  const auto second = lease("lives");
  ASSERT_TRUE(second.has_value());
  EXPECT_NE(second->id, first->id);
  const auto beat = call("POST", "/v1/jobs/" + first->id.value + "/heartbeat", trainer(),
                         dump_bytes(wire::to_json(wire::ProgressPoint{})));
  EXPECT_EQ(json(beat)["cancel"], true);
  complete(second->id, model(100));
  complete(second->id, model(100));
  settle();
  EXPECT_EQ(releases().size(), 1U);
  EXPECT_EQ(get("/v1/jobs?pipeline=pairs")["jobs"][0]["attempts"], 2);
}

TEST_F(ServiceTest, ACancelledJobIsNotRetriedAndNewSamplesStartAnother) {
  TestDevice device = join();
  send(device, 200);
  settle();
  const auto job = lease();
  ASSERT_TRUE(job.has_value());
  EXPECT_EQ(post("/v1/jobs/job-1/cancel", {{"reason", "wrong layers"}})["was"], "leased");
  const auto beat = call("POST", "/v1/jobs/" + job->id.value + "/heartbeat", trainer(),
                         dump_bytes(wire::to_json(wire::ProgressPoint{})));
  EXPECT_EQ(json(beat)["cancel"], true);
  clock.advance(std::chrono::seconds(60));
  settle();
  EXPECT_FALSE(lease().has_value()) << "neither it nor another for the same samples";
  EXPECT_EQ(get("/v1/jobs/job-1")["state"], "cancelled");
  EXPECT_EQ(get("/v1/jobs/job-1")["failure"], "wrong layers");
  EXPECT_EQ(pipeline()["last_job"]["state"], "cancelled");
  EXPECT_EQ(pipeline()["next_trigger"]["samples_missing"], 200);
  const auto again = call("POST", "/v1/jobs/job-1/cancel", admin(), to_bytes("{}"));
  EXPECT_EQ(again.status, 400);
  EXPECT_NE(to_string(again.body).find("job-1 is cancelled"), std::string::npos) << to_string(again.body);
  EXPECT_EQ(call("POST", "/v1/jobs/job-9/cancel", admin(), to_bytes("{}")).status, 404);
  EXPECT_EQ(call("POST", "/v1/jobs/job-1/cancel", trainer(), to_bytes("{}")).status, 403);

  post("/v1/pipelines/pairs/train", Json::object());  // by hand it goes at once
  settle();
  EXPECT_TRUE(lease().has_value());
}

TEST_F(ServiceTest, KeepsWhatATrainerLogs) {
  TestDevice device = join();
  send(device, 200);
  settle();
  const auto job = lease();
  ASSERT_TRUE(job.has_value());
  Json beat = wire::to_json(wire::ProgressPoint{});
  beat["log"] = {wire::to_json(wire::LogLine{1, clock.now(), "info: begins"}), wire::to_json(wire::LogLine{2, clock.now(), "warning: odd"})};
  const std::string path = "/v1/jobs/" + job->id.value + "/heartbeat";
  EXPECT_EQ(json(call("POST", path, trainer(), dump_bytes(beat)))["cancel"], false);
  EXPECT_EQ(json(call("POST", path, trainer(), dump_bytes(beat)))["cancel"], false) << "its answer was lost";
  const Json kept = get("/v1/jobs/job-1/log");
  ASSERT_EQ(kept["lines"].size(), 2U);
  EXPECT_EQ(kept["lines"][1], (Json{{"number", 2}, {"at", unix_ms(clock.now())}, {"text", "warning: odd"}, {"attempt", 1}}));
  beat["log"] = std::vector<Json>(wire::kLogLinesMax + 1, beat["log"][0]);
  EXPECT_EQ(call("POST", path, trainer(), dump_bytes(beat)).status, 400);
  EXPECT_EQ(call("GET", "/v1/jobs/job-9/log", admin()).status, 404);
}

TEST_F(ServiceTest, TellsTheCurveOfAJobAndInListsItsLatestPointOnly) {
  TestDevice device = join();
  send(device, 200);
  settle();
  const auto job = lease();
  ASSERT_TRUE(job.has_value());
  EXPECT_TRUE(get("/v1/jobs")["jobs"][0]["latest"].is_null());
  for (int epoch = 1; epoch <= 2; ++epoch) {
    wire::ProgressPoint point;
    point.progress = 0.25 * epoch;
    point.epoch = epoch;
    const auto beat = call("POST", "/v1/jobs/" + job->id.value + "/heartbeat", trainer(), dump_bytes(wire::to_json(point)));
    ASSERT_EQ(beat.status, 200);
  }
  for (const Json& listed : {get("/v1/jobs")["jobs"][0], pipeline()["job"], pipeline()["last_job"], get("/v1/status")["jobs"][0]}) {
    EXPECT_FALSE(listed.contains("points"));
    EXPECT_EQ(listed["latest"]["epoch"], 2);
    EXPECT_EQ(listed["progress"], 0.5);
  }
  const Json whole = get("/v1/jobs/" + job->id.value);
  ASSERT_EQ(whole["points"].size(), 2U);
  EXPECT_EQ(whole["points"][0]["epoch"], 1);
  EXPECT_EQ(whole["points"][1]["attempt"], 1);
  EXPECT_EQ(whole["points"][1]["at"], unix_ms(clock.now()));
}

TEST_F(ServiceTest, StatusTellsTheLastJobAndVerdict) {
  EXPECT_TRUE(pipeline()["last_job"].is_null());
  TestDevice device = learn_first_model();
  EXPECT_EQ(pipeline()["last_job"]["id"], "job-1");
  EXPECT_EQ(pipeline()["last_verdict"]["decision"], "promote");
  EXPECT_EQ(pipeline()["datasets"], 1);
  send(device, 300);
  settle();
  EXPECT_EQ(pipeline()["last_job"]["id"], "job-2");
  EXPECT_EQ(pipeline()["last_verdict"]["job"], "job-1");
  EXPECT_EQ(pipeline()["datasets"], 2);
}

TEST_F(ServiceTest, HaltsARolloutWhenDevicesTakeItBack) {
  TestDevice device = learn_first_model();
  const auto reverted = tell(device, 1, wire::OutcomeKind::reverted);
  EXPECT_EQ(reverted.status, 200);
  EXPECT_EQ(tell(device, 1, wire::OutcomeKind::reverted).status, 200) << "idempotent";
  EXPECT_EQ(tell(device, 7, wire::OutcomeKind::reverted).status, 400) << "no such release";
  settle();
  EXPECT_FALSE(pipeline()["rollout"]["halted"].is_null());
  EXPECT_EQ(offer(device, 0)["release"], 0);
  EXPECT_EQ(releases()[0]["outcomes"].size(), 1U);
}

TEST_F(ServiceTest, ShowsItsDevices) {
  TestDevice device = learn_first_model();
  (void)offer(device, 1);
  tell(device, 1, wire::OutcomeKind::confirmed);
  const Json row = get("/v1/devices")["devices"][0];
  EXPECT_EQ(row["id"], device.id.value);
  EXPECT_EQ(row["release"], 1);
  EXPECT_EQ(row["state"], "learning");
  EXPECT_EQ(row["spooled"], 3);
  EXPECT_EQ(row["rows"], 200);
  EXPECT_EQ(row["last_outcome"]["kind"], "confirmed");
  EXPECT_EQ(pipeline()["devices"]["by_release"]["1"], 1);
}

TEST_F(ServiceTest, TakesBatchesFromManyThreadsWhileItWorks) {
  std::vector<TestDevice> devices;
  std::vector<std::vector<wire::Batch>> batches;  // made beforehand: the dice are not for several threads
  for (int d = 0; d < 4; ++d) {
    devices.push_back(join());
    batches.emplace_back();
    for (int i = 0; i < 10; ++i) batches.back().push_back(samples(devices.back(), 5));
  }
  std::vector<std::thread> threads;
  for (std::size_t d = 0; d < devices.size(); ++d) {
    threads.emplace_back([&, d] {
      for (const auto& batch : batches[d]) {
        EXPECT_EQ(upload(devices[d], batch).status, 200);
        EXPECT_EQ(upload(devices[d], batch).status, 200);
      }
    });
  }
  for (int i = 0; i < 200; ++i) (void)service->step(clock.now());
  for (auto& thread : threads) thread.join();
  settle();
  const Json now = pipeline();
  EXPECT_EQ(now["received"]["rows"], 200);
  EXPECT_EQ(now["parts"]["training"].get<int>() + now["parts"]["holdout"].get<int>(), 200);
}

// ---- crashes ---------------------------------------------------------------------------------

class CrashTest : public testing::Cloud {};

TEST_F(CrashTest, GoesOnAfterARestartAtEveryStage) {
  TestDevice device = join();
  send(device, 120);
  start();
  send(device, 80);
  start();
  settle();
  start();
  const auto job = lease();
  ASSERT_TRUE(job.has_value());
  start();
  complete(job->id, model(100));
  start();
  settle();
  start();
  EXPECT_EQ(releases().size(), 1U);
  EXPECT_EQ(offer(device)["release"], 1);
}

// The power goes at every disk operation between a trained model and its published release. The database is
// as the last transaction left it.
TEST_F(CrashTest, PublishesOnceWhereverThePowerGoes) {
  TestDevice device = learn_first_model();
  send(device, 300);
  settle();
  complete(lease()->id, model(0));
  bool published = false;
  for (std::uint64_t cut = 1; !published; ++cut) {
    ASSERT_LT(cut, 200U) << "publishing never ends";
    files.cut_power_at(cut);
    (void)service->step(clock.now());
    clock.advance(std::chrono::milliseconds(10));
    service.reset();
    platform::SimRandom dice(cut);
    files.reboot(dice);
    start();
    ASSERT_NE(service, nullptr);
    ASSERT_EQ(call("GET", "/repository/metadata/timestamp.json").status, 200) << "cut at " << cut;
    const Json newest = releases().at(0);
    published = newest["seq"] == 2 && newest["state"] == "published";
  }
  EXPECT_EQ(releases().size(), 2U);
  EXPECT_EQ(get("/v1/pipelines/pairs/verdicts")["verdicts"].size(), 2U);
  EXPECT_EQ(offer(device, 1)["release"], 2);
}

}  // namespace
}  // namespace hone::cloud
