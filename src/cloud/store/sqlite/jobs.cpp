#include <utility>

#include "cloud/store/sqlite/columns.hpp"
#include "cloud/store/sqlite/stores.hpp"

namespace hone::cloud::sqlite {
namespace {

#define HONE_POINT_COLUMNS "attempt, at_ms, progress, epoch, loss, metric"
// Every n-th point of job ?1, n the least that leaves at most ?2. Counted from the newest, which so is always among them.
#define HONE_SPREAD_POINTS                                                                                        \
  "SELECT rowid FROM (SELECT rowid, ROW_NUMBER() OVER (ORDER BY rowid DESC) - 1 AS place, COUNT(*) OVER () AS total" \
  " FROM points WHERE job = ?1) WHERE place % ((total + ?2 - 1) / ?2) = 0"
#define HONE_JOB_COLUMNS                                                                                     \
  "number, pipeline, state, reason, failure, toml, fingerprint, dataset, samples, base, attempts, trainer, " \
  "last_sample_ms, created_ms, leased_ms, lease_until_ms, ended_ms, trained, fallback, seconds_train, lineage, " \
  "base_release, needs_commands, kind, subject, candidate, figures"

Result<JobState> state_from(const std::string& name) {
  for (const JobState state :
       {JobState::queued, JobState::leased, JobState::completed, JobState::failed, JobState::cancelled}) {
    if (name == name_of(state)) return state;
  }
  return fail(Code::damaged, "database: a job has the state '" + name + "'");
}

Result<> read(const Rows& rows, int column, std::optional<wire::ModelFiles>& out) {
  out.reset();
  if (rows.is_null(column)) return {};
  HONE_TRY(const Json json, parse_json(as_bytes(rows.text(column))));
  HONE_TRY(out, wire::model_files_from(json));
  return {};
}

Result<> read(const Rows& rows, int column, std::optional<wire::EvaluatedModels>& out) {
  out.reset();
  if (rows.is_null(column)) return {};
  HONE_TRY(const Json json, parse_json(as_bytes(rows.text(column))));
  HONE_TRY(out, wire::evaluated_models_from(json));
  return {};
}

Result<JobRow> job_at(const Rows& rows) {
  JobRow job;
  job.number = rows.integer(0);
  job.pipeline = PipelineName(rows.text(1));
  HONE_TRY(job.state, state_from(rows.text(2)));
  job.reason = rows.text(3);
  job.failure = rows.text(4);
  job.toml = rows.text(5);
  job.fingerprint = rows.text(6);
  HONE_CHECK(read(rows, 7, job.dataset));
  job.samples = rows.integer(8);
  HONE_CHECK(read(rows, 9, job.base));
  job.attempts = rows.integer(10);
  job.trainer = rows.text(11);
  job.last_sample = time_at(rows, 12);
  job.created = time_at(rows, 13);
  job.leased = optional_time_at(rows, 14);
  job.lease_until = optional_time_at(rows, 15);
  job.ended = optional_time_at(rows, 16);
  HONE_CHECK(read(rows, 17, job.trained));
  HONE_CHECK(read(rows, 18, job.fallback));
  job.seconds_train = rows.real(19);
  HONE_TRY(job.lineage, parse_json(as_bytes(rows.text(20))));
  job.base_release = ReleaseSeq{static_cast<std::uint64_t>(rows.integer(21))};
  job.needs_commands = rows.integer(22) != 0;
  HONE_TRY(job.kind, wire::job_kind_from(rows.text(23)));
  if (!rows.is_null(24)) job.subject = rows.integer(24);
  HONE_CHECK(read(rows, 25, job.candidate));
  HONE_CHECK(read(rows, 26, job.figures));
  return job;
}

JobPoint point_at(const Rows& rows) {
  return {rows.integer(0), time_at(rows, 1), {rows.real(2), rows.integer(3), rows.real(4), rows.real(5)}};
}

Result<std::optional<JobRow>> first(Rows rows) {
  HONE_TRY(const bool found, rows.next());
  if (!found) return std::nullopt;
  HONE_TRY(auto job, job_at(rows));
  return std::optional(std::move(job));
}

Result<std::vector<JobRow>> all(Rows rows) {
  std::vector<JobRow> jobs;
  for (;;) {
    HONE_TRY(const bool more, rows.next());
    if (!more) return jobs;
    HONE_TRY(auto job, job_at(rows));
    jobs.push_back(std::move(job));
  }
}

class SqliteJobs : public JobStore {
 public:
  explicit SqliteJobs(Database& database) : database_(database) {}

  Result<std::int64_t> add(const JobRow& job) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_CHECK(
        tx.run("INSERT INTO jobs (pipeline, state, reason, toml, fingerprint, dataset, samples, base,"
               " last_sample_ms, created_ms, base_release, needs_commands, kind, subject, candidate)"
               " VALUES (?1, 'queued', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
               " ON CONFLICT DO NOTHING",
               job.pipeline.value, job.reason, job.toml, job.fingerprint, hex_of(job.dataset), job.samples,
               hex_of(job.base), unix_ms(job.last_sample), unix_ms(job.created),
               static_cast<std::int64_t>(job.base_release.value), job.needs_commands,
               std::string(wire::name_of(job.kind)), job.subject, hex_of(job.candidate)));
    if (tx.changes() != 1) {
      return fail(Code::invalid,
                  "pipeline '" + job.pipeline.value + "' has " +
                      (job.kind == wire::JobKind::train ? std::string("a training") : std::string("an evaluation")) +
                      " queued or running already: wait until it has ended");
    }
    const std::int64_t number = tx.last_rowid();
    HONE_CHECK(tx.commit());
    return number;
  }

  Result<> set_dataset(const JobRow& job) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_CHECK(
        tx.run("UPDATE jobs SET toml = ?2, fingerprint = ?3, dataset = ?4, samples = ?5, base = ?6,"
               " last_sample_ms = ?7, base_release = ?8, needs_commands = ?9"
               " WHERE number = ?1 AND state = 'queued' AND dataset IS NULL",
               job.number, job.toml, job.fingerprint, hex_of(job.dataset), job.samples, hex_of(job.base),
               unix_ms(job.last_sample), static_cast<std::int64_t>(job.base_release.value), job.needs_commands));
    return tx.commit();
  }

  Result<std::optional<JobRow>> lease(const std::string& trainer, bool commands, Time now, Time until) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto job, first_of(tx,
                                "SELECT " HONE_JOB_COLUMNS
                                " FROM jobs WHERE state = 'queued' AND dataset IS NOT NULL AND needs_commands <= ?1"
                                " ORDER BY number LIMIT 1",
                                commands));
    if (!job) return job;
    HONE_CHECK(
        tx.run("UPDATE jobs SET state = 'leased', trainer = ?2, attempts = attempts + 1, leased_ms = ?3,"
               " lease_until_ms = ?4 WHERE number = ?1",
               job->number, trainer, unix_ms(now), unix_ms(until)));
    HONE_CHECK(tx.commit());
    job->state = JobState::leased;
    job->trainer = trainer;
    job->attempts += 1;
    job->leased = now;
    job->lease_until = until;
    return job;
  }

  Result<bool> heartbeat(std::int64_t number, const JobPoint& point, Time until) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_CHECK(tx.run("UPDATE jobs SET lease_until_ms = ?3 WHERE number = ?1 AND attempts = ?2 AND state = 'leased'",
                      number, point.attempt, unix_ms(until)));
    if (tx.changes() != 1) return false;
    HONE_CHECK(
        tx.run("INSERT INTO points (job, attempt, at_ms, progress, epoch, loss, metric)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
               number, point.attempt, unix_ms(point.at), point.point.progress, point.point.epoch, point.point.loss,
               point.point.validation_metric));
    HONE_CHECK(thin_points(tx, number));
    HONE_CHECK(tx.commit());
    return true;
  }

  Result<bool> complete(std::int64_t number, const wire::TrainedModel& model, Time now) override {
    HONE_TRY(auto tx, database_.begin());
    std::optional<std::string> fallback;
    if (model.fallback) fallback = wire::to_json(*model.fallback).dump();
    HONE_CHECK(
        tx.run("UPDATE jobs SET state = 'completed', ended_ms = ?2, trained = ?3, fallback = ?4, seconds_train = ?5,"
               " lineage = ?6, failure = '', lease_until_ms = NULL"
               " WHERE number = ?1 AND kind = 'train' AND dataset IS NOT NULL AND state IN ('queued', 'leased')",
               number, unix_ms(now), wire::to_json(static_cast<const wire::ModelFiles&>(model)).dump(), fallback,
               model.seconds_train, model.lineage.dump()));
    if (tx.changes() != 1) return false;
    HONE_CHECK(tx.commit());
    return true;
  }

  Result<bool> complete_evaluation(std::int64_t number, const wire::EvaluatedModels& figures, Time now) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_CHECK(
        tx.run("UPDATE jobs SET state = 'completed', ended_ms = ?2, figures = ?3, failure = '', lease_until_ms = NULL"
               " WHERE number = ?1 AND kind = 'evaluate' AND state IN ('queued', 'leased')",
               number, unix_ms(now), wire::to_json(figures).dump()));
    if (tx.changes() != 1) return false;
    HONE_CHECK(tx.commit());
    return true;
  }

  Result<bool> give_back(std::int64_t number, std::int64_t attempt, const std::string& reason,
                         std::int64_t attempts_max, Time now) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_CHECK(
        tx.run("UPDATE jobs SET state = iif(attempts >= ?3, 'failed', 'queued'), failure = ?4,"
               " ended_ms = iif(attempts >= ?3, ?5, NULL), lease_until_ms = NULL"
               " WHERE number = ?1 AND attempts = ?2 AND state = 'leased'",
               number, attempt, attempts_max, reason, unix_ms(now)));
    if (tx.changes() != 1) return false;
    HONE_CHECK(tx.commit());
    return true;
  }

  Result<bool> cancel(std::int64_t number, const std::string& reason, Time now) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_CHECK(
        tx.run("UPDATE jobs SET state = 'cancelled', failure = ?2, ended_ms = ?3, lease_until_ms = NULL"
               " WHERE number = ?1 AND state IN ('queued', 'leased')",
               number, reason, unix_ms(now)));
    if (tx.changes() != 1) return false;
    HONE_CHECK(tx.commit());
    return true;
  }

  Result<std::vector<JobRow>> leased() override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows, tx.query("SELECT " HONE_JOB_COLUMNS " FROM jobs WHERE state = 'leased' ORDER BY number"));
    return all(std::move(rows));
  }

  Result<std::optional<JobRow>> get(std::int64_t number) override {
    HONE_TRY(auto tx, database_.begin());
    return first_of(tx, "SELECT " HONE_JOB_COLUMNS " FROM jobs WHERE number = ?1", number);
  }

  Result<std::optional<JobRow>> last(const PipelineName& pipeline) override {
    HONE_TRY(auto tx, database_.begin());
    return first_of(tx,
                    "SELECT " HONE_JOB_COLUMNS
                    " FROM jobs WHERE pipeline = ?1 AND kind = 'train' AND (state <> 'cancelled' OR dataset IS NOT NULL)"
                    " ORDER BY number DESC LIMIT 1",
                    pipeline.value);
  }

  Result<std::optional<JobRow>> evaluation_of(std::int64_t subject) override {
    HONE_TRY(auto tx, database_.begin());
    return first_of(tx, "SELECT " HONE_JOB_COLUMNS " FROM jobs WHERE subject = ?1 ORDER BY number DESC LIMIT 1",
                    subject);
  }

  Result<std::vector<JobRow>> list(const PipelineName& pipeline, int count_max) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows, tx.query("SELECT " HONE_JOB_COLUMNS
                                 " FROM jobs WHERE ?1 = '' OR pipeline = ?1 ORDER BY number DESC LIMIT ?2",
                                 pipeline.value, count_max));
    return all(std::move(rows));
  }

  Result<std::vector<JobPoint>> points(std::int64_t number) override {
    HONE_TRY(auto tx, database_.begin());
    // A job that ended before there was a bound may have more.
    HONE_TRY(auto rows, tx.query("SELECT " HONE_POINT_COLUMNS " FROM points WHERE rowid IN (" HONE_SPREAD_POINTS
                                 ") ORDER BY rowid",
                                 number, kJobPointsMax));
    std::vector<JobPoint> points;
    for (;;) {
      HONE_TRY(const bool more, rows.next());
      if (!more) return points;
      points.push_back(point_at(rows));
    }
  }

  Result<std::optional<JobPoint>> latest_point(std::int64_t number) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows, tx.query("SELECT " HONE_POINT_COLUMNS " FROM points WHERE job = ?1 ORDER BY rowid DESC LIMIT 1", number));
    HONE_TRY(const bool found, rows.next());
    return found ? std::optional(point_at(rows)) : std::nullopt;
  }

 private:
  static Result<> thin_points(Transaction& tx, std::int64_t number) {
    HONE_TRY(auto rows, tx.query("SELECT COUNT(*) FROM points WHERE job = ?1", number));
    HONE_CHECK(rows.next());
    if (rows.integer(0) <= kJobPointsMax) return {};
    return tx.run("DELETE FROM points WHERE job = ?1 AND rowid NOT IN (" HONE_SPREAD_POINTS ")", number, kJobPointsMax);
  }

  template <class... Args>
  static Result<std::optional<JobRow>> first_of(Transaction& tx, const char* sql, const Args&... args) {
    HONE_TRY(auto rows, tx.query(sql, args...));
    return first(std::move(rows));
  }

  Database& database_;
};

}  // namespace

std::unique_ptr<JobStore> make_job_store(Database& database) {
  return std::make_unique<SqliteJobs>(database);
}

}  // namespace hone::cloud::sqlite
