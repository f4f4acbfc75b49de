#include "cloud/train/jobs.hpp"

#include <gtest/gtest.h>

#include "cloud/store/sqlite/stores.hpp"

namespace hone::cloud {
namespace {

using std::chrono::seconds;

struct JobsTest : ::testing::Test {
  JobsTest() {
    database = sqlite::Database::open(":memory:").value();
    jobs = sqlite::make_job_store(*database);
    row.pipeline = PipelineName("p");
    row.reason = "6000 samples";
    row.toml = "[pipeline]";
    row.dataset = DatasetHash{sha256(as_bytes("data"))};
    row.samples = 6000;
    row.created = now;
  }
  std::optional<wire::Job> lease(const char* trainer) { return lease_job(*jobs, trainer, false, now, seconds(15)).value(); }

  Time now = from_unix_ms(1'000'000);
  std::unique_ptr<sqlite::Database> database;
  std::unique_ptr<JobStore> jobs;
  JobRow row;
};

TEST_F(JobsTest, AreLeasedOnce) {
  ASSERT_TRUE(jobs->add(row).has_value());
  const auto job = lease("a");
  ASSERT_TRUE(job.has_value());
  EXPECT_EQ(job->dataset, *row.dataset);
  EXPECT_EQ(job->id.value, "job-1");
  EXPECT_FALSE(lease("b").has_value());
}

TEST_F(JobsTest, AreTakenUpAgainWhenATrainerDies) {
  ASSERT_TRUE(jobs->add(row).has_value());
  const auto first = lease("a");
  now += seconds(16);
  ASSERT_TRUE(expire_leases(*jobs, now).has_value());
  const auto second = lease("b");
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->id.value, "job-1-2");
  EXPECT_EQ(second->seed, first->seed);
  EXPECT_TRUE(heartbeat(*jobs, {1, 1}, {}, now, seconds(15))->cancel) << "the dead one is back, its lease is not";
  EXPECT_FALSE(heartbeat(*jobs, {1, 2}, {}, now, seconds(15))->cancel);
}

TEST_F(JobsTest, KeepTheirLeaseWhileTheTrainerBeats) {
  ASSERT_TRUE(jobs->add(row).has_value());
  ASSERT_TRUE(lease("a").has_value());
  for (int i = 0; i < 5; ++i) {
    now += seconds(10);
    wire::ProgressPoint point;
    point.progress = 0.2 * i;
    EXPECT_FALSE(heartbeat(*jobs, {1, 1}, point, now, seconds(15))->cancel);
    EXPECT_EQ(expire_leases(*jobs, now).value(), now + seconds(15));
  }
  EXPECT_EQ(jobs->points(1)->size(), 5U);
}

TEST_F(JobsTest, KeepTheirCurveWithinItsBoundAndItsLatestPointAlways) {
  ASSERT_TRUE(jobs->add(row).has_value());
  ASSERT_TRUE(lease("a").has_value());
  EXPECT_FALSE(jobs->latest_point(1).value());
  for (int i = 1; i <= 3 * kJobPointsMax; ++i) {
    wire::ProgressPoint point;
    point.epoch = i;
    ASSERT_FALSE(heartbeat(*jobs, {1, 1}, point, now, seconds(15))->cancel);
    ASSERT_EQ(jobs->latest_point(1).value()->point.epoch, i);
  }
  const auto points = *jobs->points(1);
  EXPECT_LE(points.size(), static_cast<std::size_t>(kJobPointsMax));
  EXPECT_GT(points.size(), static_cast<std::size_t>(kJobPointsMax / 2));
  EXPECT_EQ(points.front().point.epoch, 1);
  EXPECT_EQ(points.back().point.epoch, 3 * kJobPointsMax);
}

TEST_F(JobsTest, ThinACurveFromBeforeThereWasABoundToo) {
  ASSERT_TRUE(jobs->add(row).has_value());
  ASSERT_TRUE(lease("a").has_value());
  constexpr std::int64_t kStored = 3 * kJobPointsMax + 1;  // with one more an even number, whose newest is kept as well
  {
    auto tx = database->begin().value();
    ASSERT_TRUE(tx.run("INSERT INTO points (job, attempt, at_ms, progress, epoch) SELECT 1, 1, 0, 0, value FROM"
                       " (WITH RECURSIVE counter(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM counter WHERE value < ?1)"
                       " SELECT value FROM counter) ORDER BY value",
                       kStored));
    ASSERT_TRUE(tx.commit());
  }
  const auto expect_thinned = [&](std::int64_t newest) {
    const auto points = *jobs->points(1);
    EXPECT_LE(points.size(), static_cast<std::size_t>(kJobPointsMax));
    EXPECT_GT(points.size(), static_cast<std::size_t>(kJobPointsMax / 2));
    EXPECT_EQ(points.back().point.epoch, newest);
    EXPECT_EQ(jobs->latest_point(1).value()->point.epoch, newest);
  };
  expect_thinned(kStored);
  wire::ProgressPoint point;
  point.epoch = kStored + 1;
  ASSERT_FALSE(heartbeat(*jobs, {1, 1}, point, now, seconds(15))->cancel);
  expect_thinned(kStored + 1);
}

TEST_F(JobsTest, FailAfterThreeAttempts) {
  ASSERT_TRUE(jobs->add(row).has_value());
  for (int attempt = 1; attempt <= 3; ++attempt) {
    const auto job = lease("a");
    ASSERT_TRUE(job.has_value()) << attempt;
    ASSERT_TRUE(fail_job(*jobs, job_ticket_from(job->id.value).value(), "out of memory", now).has_value());
  }
  EXPECT_FALSE(lease("a").has_value());
  EXPECT_EQ(jobs->get(1).value()->state, JobState::failed);
  EXPECT_EQ(jobs->get(1).value()->failure, "out of memory");
}

TEST_F(JobsTest, ACancelledOneIsNotTakenUpAgainAndItsTrainerHearsOfIt) {
  ASSERT_TRUE(jobs->add(row).has_value());
  ASSERT_TRUE(lease("a").has_value());
  EXPECT_TRUE(jobs->cancel(1, "wrong layers", now).value());
  EXPECT_TRUE(heartbeat(*jobs, {1, 1}, {}, now, seconds(15))->cancel);
  ASSERT_TRUE(fail_job(*jobs, {1, 1}, "stopped", now).has_value());  // a trainer that speaks up all the same
  EXPECT_FALSE(jobs->complete(1, {}, now).value()) << "its model comes too late";
  now += seconds(60);
  ASSERT_TRUE(expire_leases(*jobs, now).has_value());
  EXPECT_FALSE(lease("b").has_value());
  const auto job = jobs->get(1).value();
  EXPECT_EQ(job->state, JobState::cancelled);
  EXPECT_EQ(job->failure, "wrong layers");
  EXPECT_TRUE(job->ended.has_value());
}

TEST_F(JobsTest, AQueuedOneIsCancelledAndAnEndedOneIsNot) {
  ASSERT_TRUE(jobs->add(row).has_value());
  EXPECT_TRUE(jobs->cancel(1, "no", now).value());
  EXPECT_FALSE(lease("a").has_value());
  EXPECT_FALSE(jobs->cancel(1, "again", now).value());
  EXPECT_EQ(jobs->get(1).value()->failure, "no");
  EXPECT_FALSE(jobs->cancel(2, "there is none", now).value());
}

TEST_F(JobsTest, OneThatWasCancelledBeforeItHadADatasetIsNotTheLast) {
  ASSERT_TRUE(jobs->add(row).has_value());
  ASSERT_TRUE(jobs->cancel(1, "no", now).value());
  row.dataset.reset();
  ASSERT_TRUE(jobs->add(row).has_value());
  EXPECT_EQ(jobs->last(row.pipeline).value()->number, 2);
  ASSERT_TRUE(jobs->cancel(2, "there are no samples", now).value());
  EXPECT_EQ(jobs->last(row.pipeline).value()->number, 1);
}

TEST_F(JobsTest, KeepTheirLogWithinItsBound) {
  ASSERT_TRUE(jobs->add(row).has_value());
  const auto logs = sqlite::make_job_log_store(*database);
  const auto line = [&](std::int64_t number) { return wire::LogLine{number, now, "line " + std::to_string(number)}; };
  ASSERT_TRUE(logs->append(1, 1, {line(1), line(2)}));
  ASSERT_TRUE(logs->append(1, 1, {line(2), line(3)})) << "a heartbeat whose answer was lost comes again";
  EXPECT_EQ(logs->lines(1)->size(), 3U);
  ASSERT_TRUE(logs->append(1, 2, {line(1)}));
  EXPECT_EQ(logs->lines(1)->back().attempt, 2);
  std::vector<wire::LogLine> many;
  for (std::int64_t number = 2; number <= kJobLogLinesMax + 1; ++number) many.push_back(line(number));
  ASSERT_TRUE(logs->append(1, 2, many));
  const auto kept = logs->lines(1).value();
  EXPECT_EQ(kept.size(), static_cast<std::size_t>(kJobLogLinesMax));
  EXPECT_EQ(kept.front().line, line(2));
  EXPECT_EQ(kept.back().line, line(kJobLogLinesMax + 1));
}

TEST_F(JobsTest, CompleteOnceAndKeepTheFirstModel) {
  ASSERT_TRUE(jobs->add(row).has_value());
  ASSERT_TRUE(lease("a").has_value());
  wire::TrainedModel model;
  model.model = ModelHash{sha256(as_bytes("one"))};
  model.seconds_train = 12.5;
  EXPECT_TRUE(jobs->complete(1, model, now).value());
  EXPECT_FALSE(jobs->complete(1, model, now).value());
  model.model = ModelHash{sha256(as_bytes("two"))};
  EXPECT_FALSE(jobs->complete(1, model, now).value());
  EXPECT_EQ(jobs->get(1).value()->trained->model.sha256, sha256(as_bytes("one")));
  EXPECT_TRUE(heartbeat(*jobs, {1, 1}, {}, now, seconds(15))->cancel);
}

TEST_F(JobsTest, AreNotLeasedBeforeTheirDatasetIsCut) {
  row.dataset.reset();
  ASSERT_TRUE(jobs->add(row).has_value());
  EXPECT_FALSE(lease("a").has_value());
  row.number = 1;
  row.dataset = DatasetHash{sha256(as_bytes("data"))};
  ASSERT_TRUE(jobs->set_dataset(row).has_value());
  EXPECT_TRUE(lease("a").has_value());
}

TEST_F(JobsTest, RunOneAtATimeForAPipeline) {
  ASSERT_TRUE(jobs->add(row).has_value());
  EXPECT_EQ(jobs->add(row).error().code, Code::invalid);
  row.pipeline = PipelineName("q");
  EXPECT_TRUE(jobs->add(row).has_value());
}

TEST_F(JobsTest, ThatNeedCommandsAreForTrainersThatRunThem) {
  row.needs_commands = true;
  ASSERT_TRUE(jobs->add(row).has_value());
  row.pipeline = PipelineName("q");
  row.needs_commands = false;
  ASSERT_TRUE(jobs->add(row).has_value());
  EXPECT_EQ(lease("a")->id.value, "job-2") << "the older one waits";
  EXPECT_FALSE(lease("a").has_value());
  const auto job = lease_job(*jobs, "b", true, now, seconds(15)).value();
  ASSERT_TRUE(job.has_value());
  EXPECT_EQ(job->id.value, "job-1");
}

TEST_F(JobsTest, AnEvaluationRunsBesideATrainingAndIsNoTraining) {
  ASSERT_TRUE(jobs->add(row).has_value());
  JobRow evaluation = row;
  evaluation.kind = wire::JobKind::evaluate;
  evaluation.needs_commands = true;
  evaluation.subject = 1;
  evaluation.candidate = ModelHash{sha256(as_bytes("new"))};
  evaluation.base = ModelHash{sha256(as_bytes("old"))};
  ASSERT_EQ(jobs->add(evaluation).value(), 2);
  EXPECT_EQ(jobs->add(evaluation).error().code, Code::invalid) << "one at a time";
  EXPECT_EQ(jobs->last(row.pipeline).value()->number, 1);
  EXPECT_EQ(lease("a")->kind, wire::JobKind::train);

  const auto job = lease_job(*jobs, "b", true, now, seconds(15)).value();
  ASSERT_TRUE(job.has_value());
  EXPECT_EQ(job->kind, wire::JobKind::evaluate);
  EXPECT_EQ(job->candidate, evaluation.candidate);
  EXPECT_EQ(job->base, evaluation.base);
  EXPECT_FALSE(jobs->complete(2, {}, now).value()) << "it makes no model";
  const wire::EvaluatedModels figures{{sha256(as_bytes("f"))}, BlobHash{sha256(as_bytes("g"))}, 2};
  EXPECT_FALSE(jobs->complete_evaluation(1, figures, now).value());
  EXPECT_TRUE(jobs->complete_evaluation(2, figures, now).value());
  EXPECT_FALSE(jobs->complete_evaluation(2, figures, now).value());
  const auto done = jobs->evaluation_of(1).value();
  ASSERT_TRUE(done && done->figures);
  EXPECT_EQ(done->state, JobState::completed);
  EXPECT_EQ(done->figures->base, figures.base);
  EXPECT_EQ(done->subject, 1);
}

TEST(JobTicket, ReadsBackItsOwnNames) {
  for (const JobTicket ticket : {JobTicket{1, 1}, JobTicket{12, 3}}) {
    const auto back = job_ticket_from(id_of(ticket).value);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->number, ticket.number);
    EXPECT_EQ(back->attempt, ticket.attempt);
  }
  for (const char* bad :
       {"", "job-", "job-x", "job-0", "job--1", "job-1-", "job-1-0", "12", "job-99999999999999999999"}) {
    EXPECT_EQ(job_ticket_from(bad).error().code, Code::not_found) << bad;
  }
}

}  // namespace
}  // namespace hone::cloud
