// What every implementation of the stages' store ports must do; here SQLite in memory and in a file.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <filesystem>

#include "cloud/store/sqlite/stores.hpp"

namespace hone::cloud {
namespace {

Sha256 hash(const std::string& text) {
  return sha256(as_bytes(text));
}
const PipelineName kP("p");

class Stores : public ::testing::TestWithParam<bool> {
 protected:
  Stores() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hone-stores-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    reopen();
  }
  ~Stores() override {
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  // For a file: as after a restart. In memory there is nothing to come back to.
  void reopen() {
    if (database_ && !GetParam()) return;
    database_.reset();
    database_ = sqlite::Database::open(GetParam() ? folder_ + "/hone.db" : ":memory:").value();
    batches = sqlite::make_batch_store(*database_);
    datasets = sqlite::make_dataset_store(*database_);
    jobs = sqlite::make_job_store(*database_);
    releases = sqlite::make_release_store(*database_);
    devices = sqlite::make_device_store(*database_);
    credentials = sqlite::make_credential_store(*database_);
  }

  StoredBatch batch(const std::string& id, const std::string& device = "dev-1") {
    StoredBatch b;
    b.id = BatchId(id);
    b.device = DeviceId(device);
    b.pipeline = kP;
    b.rows = 10;
    b.labelled = 6;
    b.bytes = 500;
    b.blob = BlobHash{hash(id + device)};
    b.received = from_unix_ms(1000);
    return b;
  }
  std::int64_t completed_job() {
    JobRow job;
    job.pipeline = kP;
    job.dataset = DatasetHash{hash("data")};
    const auto number = jobs->add(job).value();
    wire::TrainedModel model;
    model.model = ModelHash{hash("model")};
    EXPECT_TRUE(jobs->complete(number, model, from_unix_ms(5)).value());
    return number;
  }
  ReleaseRow release() {
    ReleaseRow row;
    row.pipeline = kP;
    row.model = ModelHash{hash("model")};
    row.metric = "accuracy";
    row.metric_value = 0.97;
    row.judged = from_unix_ms(10);
    return row;
  }
  void enrol(const std::string& id) {
    const Sha256 token = hash("token of " + id);
    ASSERT_TRUE(credentials->add_ticket({token, kP, from_unix_ms(100), {}, {}}).has_value());
    ASSERT_TRUE(credentials->use_ticket(token, DeviceId(id), hash("secret of " + id), {}, from_unix_ms(1)).value());
  }

  std::unique_ptr<BatchStore> batches;
  std::unique_ptr<DatasetStore> datasets;
  std::unique_ptr<JobStore> jobs;
  std::unique_ptr<ReleaseStore> releases;
  std::unique_ptr<DeviceStore> devices;
  std::unique_ptr<CredentialStore> credentials;

 private:
  std::string folder_;
  std::unique_ptr<sqlite::Database> database_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, Stores, ::testing::Bool(),
                         [](const auto& which) { return which.param ? "File" : "Memory"; });

TEST_P(Stores, KeepABatchOnce) {
  EXPECT_TRUE(batches->add(batch("a")).value());
  EXPECT_FALSE(batches->add(batch("a")).value());
  EXPECT_TRUE(batches->add(batch("a", "dev-2")).value()) << "ids are a device's own";
  auto changed = batch("a");
  changed.blob = BlobHash{hash("other")};
  EXPECT_EQ(batches->add(changed).error().code, Code::invalid);
  reopen();
  EXPECT_FALSE(batches->add(batch("a")).value());
  const auto totals = datasets->totals(kP).value();
  EXPECT_EQ(totals.received_batches, 2);
  EXPECT_EQ(totals.received_rows, 20);
  EXPECT_EQ(totals.received_bytes, 1000);
  EXPECT_EQ(totals.labelled, 0) << "counted when it is split";
}

TEST_P(Stores, HandBatchesOutInTheirOrderUntilTheyAreSplit) {
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(batches->add(batch(id)).value());
  const auto pending = datasets->unsplit(kP, 2).value();
  ASSERT_EQ(pending.size(), 2U);
  EXPECT_EQ(pending[0].blob, batch("a").blob);
  ASSERT_TRUE(
      datasets->record_split(kP, {{pending[0].number, pending[0].device, pending[0].blob, 8, 2}}, {}).has_value());
  EXPECT_FALSE(
      datasets->record_split(kP, {{pending[0].number, pending[0].device, pending[0].blob, 8, 2}}, {}).has_value());
  reopen();
  EXPECT_EQ(datasets->unsplit(kP, 9)->size(), 2U);
  const auto totals = datasets->totals(kP).value();
  EXPECT_EQ(totals.training, 8);
  EXPECT_EQ(totals.holdout, 2);
  EXPECT_EQ(totals.labelled, 6);
  EXPECT_EQ(totals.last_received, from_unix_ms(1000));
}

TEST_P(Stores, KnowWhichBatchesAreNotInSealedShardsYet) {
  std::vector<SplitBatch> split;
  for (const char* id : {"a", "b", "c"}) {
    ASSERT_TRUE(batches->add(batch(id)).value());
    const auto pending = datasets->unsplit(kP, 1)->front();
    std::vector<SealedShard> sealed;
    if (std::string(id) == "b") {
      wire::Shard shard;
      shard.rows = 16;
      sealed.push_back({Part::training, shard});
    }
    ASSERT_TRUE(
        datasets->record_split(kP, {{pending.number, pending.device, pending.blob, 10, 0}}, sealed).has_value());
  }
  const auto open = datasets->split_since_sealed(kP).value();
  ASSERT_EQ(open.size(), 2U);
  EXPECT_EQ(open[0].blob, batch("b").blob);
  EXPECT_EQ(datasets->rows_before(kP, Part::training, open[0].number).value(), 10);
  EXPECT_EQ(datasets->shards(kP, Part::training)->size(), 1U);
  EXPECT_EQ(datasets->shards(kP, Part::holdout)->size(), 0U);
}

TEST_P(Stores, KeepDevicesInTheirPlaces) {
  EXPECT_EQ(datasets->place_of(kP, DeviceId("x")).value(), 0);
  EXPECT_EQ(datasets->place_of(kP, DeviceId("a")).value(), 1);
  reopen();
  EXPECT_EQ(datasets->place_of(kP, DeviceId("x")).value(), 0);
  EXPECT_EQ(datasets->devices(kP).value(), (std::vector<std::string>{"x", "a"}));
}

TEST_P(Stores, FixTheSplitWithTheFirstBatch) {
  EXPECT_EQ(datasets->fix_split(kP, {"s1", 0.1})->signal, "s1");
  EXPECT_EQ(datasets->fix_split(kP, {"s2", 0.2})->signal, "s2");
  ASSERT_TRUE(batches->add(batch("a")).value());
  const auto fixed = datasets->fix_split(kP, {"s3", 0.3}).value();
  EXPECT_EQ(fixed.signal, "s2");
  EXPECT_EQ(fixed.holdout, 0.2);
}

TEST_P(Stores, RememberDatasetVersions) {
  const DatasetVersion version{DatasetHash{hash("v")}, kP, 90, 10, from_unix_ms(7)};
  ASSERT_TRUE(datasets->add_version(version).has_value());
  ASSERT_TRUE(datasets->add_version(version).has_value());
  reopen();
  EXPECT_EQ(datasets->version(version.hash).value()->training_rows, 90);
  EXPECT_FALSE(datasets->version(DatasetHash{hash("w")}).value().has_value());
}

TEST_P(Stores, TakeOneVerdictAJobAndNumberItsRelease) {
  const auto job = completed_job();
  EXPECT_EQ(releases->jobs_to_judge(kP).value(), std::vector{job});
  VerdictRow verdict{job, kP, from_unix_ms(9), "promote", "better", {{"n", 3}}, {}, {}};
  EXPECT_FALSE(releases->add_verdict(verdict, release(), {1}).value()) << "compared with another release";
  EXPECT_EQ(releases->jobs_to_judge(kP)->size(), 1U);
  EXPECT_TRUE(releases->add_verdict(verdict, release(), {0}).value());
  EXPECT_TRUE(releases->add_verdict(verdict, release(), {1}).value()) << "again: nothing changes";
  reopen();
  EXPECT_TRUE(releases->jobs_to_judge(kP)->empty());
  ASSERT_EQ(releases->list(kP)->size(), 1U);
  EXPECT_EQ(releases->list(kP)->front().seq.value, 1U);
  EXPECT_EQ(releases->verdict(job).value()->numbers["n"], 3);
}

TEST_P(Stores, KeepEveryFileOfAJobAndBothLooksAtIt) {
  JobRow job;
  job.pipeline = kP;
  job.dataset = DatasetHash{hash("data")};
  const auto number = jobs->add(job).value();
  wire::TrainedModel trained;
  trained.model = ModelHash{hash("model")};
  trained.exports = {{"onnx-int8", ModelHash{hash("model8")}}};
  trained.hints = BlobHash{hash("hints")};
  trained.validation_metric = std::nan("");  // a command that tells none
  trained.fallback.emplace();
  trained.fallback->model = ModelHash{hash("free")};
  trained.fallback->validation_metric = 0.5;
  ASSERT_TRUE(jobs->complete(number, trained, from_unix_ms(5)).value());

  VerdictRow verdict{number, kP, from_unix_ms(9), "promote", "better", {{"n", 3}}, LookRow{"hold", "no", {{"n", 2}}},
                     Json::array({{{"format", "onnx-int8"}}})};
  ReleaseRow promoted = release();
  promoted.exports = trained.exports;
  promoted.hints = trained.hints;
  ASSERT_TRUE(releases->add_verdict(verdict, promoted, {0}).value());
  reopen();
  const auto row = jobs->get(number).value().value();
  EXPECT_EQ(row.trained->exports, trained.exports);
  EXPECT_EQ(row.trained->hints, trained.hints);
  EXPECT_TRUE(std::isnan(row.trained->validation_metric));
  EXPECT_EQ(row.fallback->model, trained.fallback->model);
  EXPECT_EQ(row.fallback->validation_metric, 0.5);
  const auto looks = releases->verdict(number).value().value();
  EXPECT_EQ(looks.first_look->decision, "hold");
  EXPECT_EQ(looks.first_look->numbers["n"], 2);
  EXPECT_EQ(looks.numbers["n"], 3);
  EXPECT_EQ(looks.exports, verdict.exports);
  const auto stored = releases->list(kP).value().at(0);
  EXPECT_EQ(stored.exports, promoted.exports);
  EXPECT_EQ(stored.hints, promoted.hints);
}

TEST_P(Stores, MoveAReleaseForwardOnly) {
  const auto seq = releases->add_rollback(release()).value();
  ASSERT_TRUE(releases->set_published(kP, seq, from_unix_ms(20)).has_value());
  EXPECT_EQ(releases->get(kP, seq).value()->state, ReleaseState::judged) << "not prepared yet";
  ASSERT_TRUE(releases->set_prepared(kP, seq, BlobHash{hash("m")}).has_value());
  ASSERT_TRUE(releases->set_published(kP, seq, from_unix_ms(21)).has_value());
  ASSERT_TRUE(releases->set_published(kP, seq, from_unix_ms(99)).has_value());
  ASSERT_TRUE(releases->set_prepared(kP, seq, BlobHash{hash("n")}).has_value());
  ASSERT_TRUE(releases->set_rollout(kP, seq, 1, "why").has_value());
  reopen();
  const auto row = releases->get(kP, seq).value().value();
  EXPECT_EQ(row.state, ReleaseState::published);
  EXPECT_EQ(row.published, from_unix_ms(21));
  EXPECT_EQ(row.manifest, BlobHash{hash("m")});
  EXPECT_EQ(row.rollout_step, 1);
  EXPECT_EQ(row.halted, "why");
  EXPECT_EQ(releases->add_rollback(release())->value, 2U);
}

TEST_P(Stores, LetATicketBeUsedOnce) {
  enrol("dev-1");
  const Sha256 token = hash("token of dev-1");
  EXPECT_FALSE(credentials->use_ticket(token, DeviceId("dev-2"), hash("s"), {}, from_unix_ms(2)).value());
  reopen();
  EXPECT_EQ(credentials->ticket(token).value()->device, DeviceId("dev-1"));
  EXPECT_EQ(credentials->device(DeviceId("dev-1")).value()->secret, hash("secret of dev-1"));
  EXPECT_FALSE(credentials->device(DeviceId("dev-2")).value().has_value());
  EXPECT_FALSE(credentials->ticket(hash("other")).value().has_value());
}

TEST_P(Stores, FollowDevices) {
  enrol("dev-1");
  ASSERT_TRUE(batches->add(batch("a")).value());
  ASSERT_TRUE(devices->seen(DeviceId("dev-1"), {{3}, "learning", 12}, from_unix_ms(50)).has_value());
  ASSERT_TRUE(devices->seen(DeviceId("dev-1"), from_unix_ms(60)).has_value());
  wire::Outcome outcome;
  outcome.release = {3};
  outcome.by_delta = true;
  outcome.inferences = 10;
  ASSERT_TRUE(devices->add_outcome(DeviceId("dev-1"), kP, outcome, from_unix_ms(70)).has_value());
  outcome.inferences = 25;
  ASSERT_TRUE(devices->add_outcome(DeviceId("dev-1"), kP, outcome, from_unix_ms(80)).has_value());
  reopen();
  const auto row = devices->devices(kP)->front();
  EXPECT_EQ(row.life.running.value, 3U);
  EXPECT_EQ(row.life.state, "learning");
  EXPECT_EQ(row.seen, from_unix_ms(60));
  EXPECT_EQ(row.rows, 10);
  EXPECT_EQ(row.bytes, 500);
  const auto outcomes = devices->outcomes(kP, {3}).value();
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].at, from_unix_ms(70)) << "when it was told first";
  EXPECT_EQ(outcomes[0].outcome.inferences, 25U);
  EXPECT_TRUE(outcomes[0].outcome.by_delta);
  EXPECT_EQ(devices->last_outcome(DeviceId("dev-1")).value()->outcome.release.value, 3U);
}

}  // namespace
}  // namespace hone::cloud
