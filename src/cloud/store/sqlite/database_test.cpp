#include "cloud/store/sqlite/database.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

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
