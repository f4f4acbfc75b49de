#include "cloud/store/sqlite/database.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "cloud/store/sqlite/migrations.hpp"
#include "cloud/store/sqlite/stores.hpp"

namespace hone::cloud::sqlite {
namespace {

struct Folder {
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hone-sqlite-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

std::int64_t count(Database& database) {
  auto tx = database.begin();
  auto rows = tx->query("SELECT COUNT(*) FROM tickets");
  EXPECT_TRUE(rows->next().value());
  return rows->integer(0);
}

Result<> add(Transaction& tx, const std::string& token) {
  return tx.run("INSERT INTO tickets (token_sha256, pipeline, expires_ms) VALUES (?1, 'p', 1)", token);
}

TEST(Database, KeepsWhatWasCommittedAndNothingElse) {
  const Folder folder;
  const std::string path = folder.path + "/hone.db";
  {
    auto database = Database::open(path).value();
    {
      auto tx = database->begin();
      ASSERT_TRUE(add(*tx, "kept").has_value());
      ASSERT_TRUE(tx->commit().has_value());
    }
    {
      auto tx = database->begin();
      ASSERT_TRUE(add(*tx, "dropped").has_value());
    }
    EXPECT_EQ(count(*database), 1);
  }
  auto database = Database::open(path).value();
  EXPECT_EQ(count(*database), 1);
}

TEST(Database, RefusesAFileOfANewerVersion) {
  const Folder folder;
  const std::string path = folder.path + "/hone.db";
  ASSERT_TRUE(Database::open(path).has_value());
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(raw, "PRAGMA user_version = 1000", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(raw);
  const auto opened = Database::open(path);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Code::invalid);
}

// What a hone-cloud wrote when a job had one model and no more.
TEST(Database, KeepsTheModelsOfJobsOfTheFirstSchema) {
  const Folder folder;
  const std::string path = folder.path + "/hone.db";
  const std::string model(64, 'a');
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(raw, all_migrations()[0], nullptr, nullptr, nullptr), SQLITE_OK);
  const std::string fill =
      "INSERT INTO jobs (pipeline, state, reason, created_ms, model, validation_metric)"
      " VALUES ('p', 'completed', 'why', 1, '" +
      model +
      "', 0.75);"
      "INSERT INTO jobs (pipeline, state, reason, created_ms) VALUES ('p', 'queued', 'why', 2);"
      "INSERT INTO verdicts VALUES (1, 'p', 3, 'promote', 'better', '{}');"
      "INSERT INTO releases (pipeline, seq, state, model, metric, metric_value, goal_met, judged_ms)"
      " VALUES ('p', 1, 'judged', '" +
      model + "', 'accuracy', 0.5, 0, 3); PRAGMA user_version = 1";
  ASSERT_EQ(sqlite3_exec(raw, fill.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(raw);
  sqlite3_close(raw);

  auto database = Database::open(path);
  ASSERT_TRUE(database.has_value()) << database.error().context;
  const auto jobs = make_job_store(**database);
  const auto completed = jobs->get(1).value().value();
  ASSERT_TRUE(completed.trained.has_value());
  EXPECT_EQ(completed.trained->model.hex(), model);
  EXPECT_EQ(completed.trained->validation_metric, 0.75);
  EXPECT_TRUE(completed.trained->exports.empty());
  EXPECT_FALSE(completed.fallback.has_value());
  EXPECT_FALSE(jobs->get(2).value().value().trained.has_value());
  const auto releases = make_release_store(**database);
  EXPECT_FALSE(releases->verdict(1).value().value().first_look.has_value());
  EXPECT_TRUE(releases->list(PipelineName("p")).value().at(0).exports.empty());
}

TEST(Database, RefusesAFileThatIsNoDatabase) {
  const Folder folder;
  const std::string path = folder.path + "/hone.db";
  FILE* file = fopen(path.c_str(), "w");
  for (int i = 0; i < 1000; ++i) fputs("this is no database ", file);
  fclose(file);
  EXPECT_EQ(Database::open(path).error().code, Code::damaged);
}

TEST(Database, SaysWhereItCannotBeOpened) {
  const auto opened = Database::open("/nonexistent-folder/hone.db");
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().context.find("/nonexistent-folder/hone.db"), std::string::npos);
}

TEST(Database, LetsThreadsTakeTurns) {
  auto database = Database::open(":memory:").value();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        auto tx = database->begin();
        ASSERT_TRUE(tx.has_value());
        ASSERT_TRUE(add(*tx, std::to_string(t * 1000 + i)).has_value());
        ASSERT_TRUE(tx->commit().has_value());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count(*database), 200);
}

}  // namespace
}  // namespace hone::cloud::sqlite
