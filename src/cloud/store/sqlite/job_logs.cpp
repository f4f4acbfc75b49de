#include <utility>

#include "cloud/store/sqlite/columns.hpp"
#include "cloud/store/sqlite/stores.hpp"

namespace hone::cloud::sqlite {
namespace {

class SqliteJobLogs : public JobLogStore {
 public:
  explicit SqliteJobLogs(Database& database) : database_(database) {}

  Result<> append(std::int64_t job, std::int64_t attempt, const std::vector<wire::LogLine>& lines) override {
    if (lines.empty()) return {};
    HONE_TRY(auto tx, database_.begin());
    for (const wire::LogLine& line : lines) {
      HONE_CHECK(
          tx.run("INSERT INTO job_logs (job, attempt, number, at_ms, text) VALUES (?1, ?2, ?3, ?4, ?5)"
                 " ON CONFLICT DO NOTHING",
                 job, attempt, line.number, unix_ms(line.at), line.text));
    }
    HONE_CHECK(
        tx.run("DELETE FROM job_logs WHERE job = ?1 AND id <= (SELECT id FROM job_logs WHERE job = ?1"
               " ORDER BY id DESC LIMIT 1 OFFSET ?2)",
               job, kJobLogLinesMax));
    return tx.commit();
  }

  Result<std::vector<JobLogLine>> lines(std::int64_t job) override {
    HONE_TRY(auto tx, database_.begin());
    HONE_TRY(auto rows, tx.query("SELECT attempt, number, at_ms, text FROM job_logs WHERE job = ?1"
                                 " ORDER BY attempt, number",
                                 job));
    std::vector<JobLogLine> lines;
    for (;;) {
      HONE_TRY(const bool more, rows.next());
      if (!more) return lines;
      lines.push_back({rows.integer(0), {rows.integer(1), time_at(rows, 2), rows.text(3)}});
    }
  }

 private:
  Database& database_;
};

}  // namespace

std::unique_ptr<JobLogStore> make_job_log_store(Database& database) {
  return std::make_unique<SqliteJobLogs>(database);
}

}  // namespace hone::cloud::sqlite
