#include <utility>

#include "cloud/store/sqlite/columns.hpp"
#include "cloud/store/sqlite/stores.hpp"

namespace hone::cloud::sqlite {
namespace {

#define HONE_VERDICT_COLUMNS "job, pipeline, at_ms, decision, reason, numbers, first_look, exports"

#define HONE_RELEASE_COLUMNS                                                                         \
  "pipeline, seq, state, model, job, rollback_of, note, metric, metric_value, goal_met, judged_ms, " \
  "manifest, published_ms, step, halted, exports, hints"

ReleaseSeq seq_at(const Rows& rows, int column) {
  return {static_cast<std::uint64_t>(rows.integer(column))};
}

Result<ReleaseState> release_state_from(const std::string& name) {
  for (const ReleaseState state : {ReleaseState::judged, ReleaseState::prepared, ReleaseState::published}) {
    if (name == name_of(state)) return state;
  }
  return fail(Code::damaged, "database: a release has the state '" + name + "'");
}

Result<ReleaseRow> release_at(const Rows& rows) {
  ReleaseRow release;
  release.pipeline = PipelineName(rows.text(0));
  release.seq = seq_at(rows, 1);
  HONE_TRY(release.state, release_state_from(rows.text(2)));
  HONE_CHECK(read(rows, 3, release.model));
  if (!rows.is_null(4)) release.job = rows.integer(4);
  if (!rows.is_null(5)) release.rollback_of = seq_at(rows, 5);
  release.note = rows.text(6);
  release.metric = rows.text(7);
  release.metric_value = rows.real(8);
  release.goal_met = rows.integer(9) != 0;
  release.judged = time_at(rows, 10);
  HONE_CHECK(read(rows, 11, release.manifest));
  release.published = optional_time_at(rows, 12);
  release.rollout_step = rows.integer(13);
  release.halted = rows.text(14);
  HONE_TRY(const Json exports, parse_json(as_bytes(rows.text(15))));
  HONE_TRY(release.exports, wire::exports_from(exports));
  HONE_CHECK(read(rows, 16, release.hints));
  return release;
}

std::optional<std::string> text_of(const std::optional<LookRow>& look) {
  if (!look) return std::nullopt;
  return Json{{"decision", look->decision}, {"reason", look->reason}, {"numbers", look->numbers}}.dump();
}

Result<LookRow> look_from(const Json& json) {
  LookRow look;
  HONE_TRY(look.decision, get_string(json, "decision"));
  HONE_TRY(look.reason, get_string(json, "reason"));
  HONE_TRY(const Json* numbers, get_object(json, "numbers"));
  look.numbers = *numbers;
  return look;
}

Result<VerdictRow> verdict_at(const Rows& rows) {
  VerdictRow verdict;
  verdict.job = rows.integer(0);
  verdict.pipeline = PipelineName(rows.text(1));
  verdict.at = time_at(rows, 2);
  verdict.decision = rows.text(3);
  verdict.reason = rows.text(4);
  HONE_TRY(verdict.numbers, parse_json(as_bytes(rows.text(5))));
  if (!rows.is_null(6)) {
    HONE_TRY(const Json look, parse_json(as_bytes(rows.text(6))));
    HONE_TRY(verdict.first_look, look_from(look));
  }
  HONE_TRY(verdict.exports, parse_json(as_bytes(rows.text(7))));
  return verdict;
}

class SqliteReleases : public ReleaseStore {
 public:
  explicit SqliteReleases(Database& database) : database_(database) {}

  Result<bool> add_verdict(const VerdictRow& verdict, const std::optional<ReleaseRow>& promoted,
                           ReleaseSeq compared_with) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(const ReleaseSeq newest, newest_of(tx, verdict.pipeline));
    HONE_CHECK(
        tx.run("INSERT INTO verdicts (" HONE_VERDICT_COLUMNS
               ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
               verdict.job, verdict.pipeline.value, unix_ms(verdict.at), verdict.decision, verdict.reason,
               verdict.numbers.dump(), text_of(verdict.first_look), verdict.exports.dump()));
    if (tx.changes() != 1) return true;
    if (newest != compared_with) return false;  // rolled back
    if (promoted) {
      HONE_CHECK(insert(tx, *promoted, {newest.value + 1}));
    }
    HONE_CHECK(tx.commit());
    return true;
  }

  Result<ReleaseSeq> add_rollback(const ReleaseRow& release) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(const ReleaseSeq newest, newest_of(tx, release.pipeline));
    const ReleaseSeq seq{newest.value + 1};
    HONE_CHECK(insert(tx, release, seq));
    HONE_CHECK(tx.commit());
    return seq;
  }

  Result<> set_prepared(const PipelineName& pipeline, ReleaseSeq seq, const BlobHash& manifest) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_CHECK(
        tx.run("UPDATE releases SET state = 'prepared', manifest = ?3"
               " WHERE pipeline = ?1 AND seq = ?2 AND state = 'judged'",
               pipeline.value, seq.value, manifest.hex()));
    return tx.commit();
  }

  Result<> set_published(const PipelineName& pipeline, ReleaseSeq seq, Time now) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_CHECK(
        tx.run("UPDATE releases SET state = 'published', published_ms = ?3"
               " WHERE pipeline = ?1 AND seq = ?2 AND state = 'prepared'",
               pipeline.value, seq.value, unix_ms(now)));
    return tx.commit();
  }

  Result<> set_rollout(const PipelineName& pipeline, ReleaseSeq seq, std::int64_t step,
                       const std::string& halted) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_CHECK(tx.run("UPDATE releases SET step = ?3, halted = ?4 WHERE pipeline = ?1 AND seq = ?2", pipeline.value,
                      seq.value, step, halted));
    return tx.commit();
  }

  Result<std::vector<std::int64_t>> jobs_to_judge(const PipelineName& pipeline) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows, tx.query("SELECT number FROM jobs WHERE pipeline = ?1 AND kind = 'train' AND state = 'completed'"
                                 " AND NOT EXISTS (SELECT 1 FROM verdicts WHERE job = number) ORDER BY number",
                                 pipeline.value));
    std::vector<std::int64_t> jobs;
    for (;;) {
      HONE_TRY(const bool more, rows.next());
      if (!more) return jobs;
      jobs.push_back(rows.integer(0));
    }
  }

  Result<std::optional<ReleaseRow>> get(const PipelineName& pipeline, ReleaseSeq seq) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows, tx.query("SELECT " HONE_RELEASE_COLUMNS " FROM releases WHERE pipeline = ?1 AND seq = ?2",
                                 pipeline.value, seq.value));
    HONE_TRY(const bool found, rows.next());
    if (!found) return std::nullopt;
    HONE_TRY(auto release, release_at(rows));
    return std::optional(std::move(release));
  }

  Result<std::vector<ReleaseRow>> list(const PipelineName& pipeline) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows, tx.query("SELECT " HONE_RELEASE_COLUMNS " FROM releases WHERE pipeline = ?1 ORDER BY seq DESC",
                                 pipeline.value));
    std::vector<ReleaseRow> releases;
    for (;;) {
      HONE_TRY(const bool more, rows.next());
      if (!more) return releases;
      HONE_TRY(auto release, release_at(rows));
      releases.push_back(std::move(release));
    }
  }

  Result<std::vector<VerdictRow>> verdicts(const PipelineName& pipeline, int count_max) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows, tx.query("SELECT " HONE_VERDICT_COLUMNS
                                 " FROM verdicts WHERE pipeline = ?1 ORDER BY job DESC LIMIT ?2",
                                 pipeline.value, count_max));
    std::vector<VerdictRow> verdicts;
    for (;;) {
      HONE_TRY(const bool more, rows.next());
      if (!more) return verdicts;
      HONE_TRY(auto verdict, verdict_at(rows));
      verdicts.push_back(std::move(verdict));
    }
  }

  Result<std::optional<VerdictRow>> verdict(std::int64_t job) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows, tx.query("SELECT " HONE_VERDICT_COLUMNS " FROM verdicts WHERE job = ?1", job));
    HONE_TRY(const bool found, rows.next());
    if (!found) return std::nullopt;
    HONE_TRY(auto row, verdict_at(rows));
    return std::optional(std::move(row));
  }

 private:
  static Result<ReleaseSeq> newest_of(Transaction& tx, const PipelineName& pipeline) {
    HONE_TRY(auto rows, tx.query("SELECT COALESCE(MAX(seq), 0) FROM releases WHERE pipeline = ?1", pipeline.value));
    HONE_TRY([[maybe_unused]] const bool found, rows.next());
    return seq_at(rows, 0);
  }

  static Result<> insert(Transaction& tx, const ReleaseRow& release, ReleaseSeq seq) {
    std::optional<std::int64_t> rollback_of;
    if (release.rollback_of) rollback_of = static_cast<std::int64_t>(release.rollback_of->value);
    return tx.run(
        "INSERT INTO releases (pipeline, seq, state, model, job, rollback_of, note, metric, metric_value,"
        " goal_met, judged_ms, exports, hints)"
        " VALUES (?1, ?2, 'judged', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        release.pipeline.value, seq.value, release.model.hex(), release.job, rollback_of, release.note, release.metric,
        release.metric_value, release.goal_met, unix_ms(release.judged), wire::to_json(release.exports).dump(),
        hex_of(release.hints));
  }

  Database& database_;
};

}  // namespace

std::unique_ptr<ReleaseStore> make_release_store(Database& database) {
  return std::make_unique<SqliteReleases>(database);
}

}  // namespace hone::cloud::sqlite
