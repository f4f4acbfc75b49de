// One SQLite connection: WAL, synchronous=FULL (a commit is durable when it returns), foreign keys,
// prepared statements kept. All work is in a Transaction, which also is the lock: several threads
// may begin one, they wait for each other, so keep nothing slow between begin and commit.
//
//   HONE_TRY(auto tx, database.begin());
//   HONE_CHECK(tx.run("UPDATE devices SET spooled = ?2 WHERE id = ?1", id, rows));
//   return tx.commit();
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace hone::cloud::sqlite {

class Database;

// The rows of one statement. Must not outlive its transaction.
class Rows {
 public:
  Rows(Database& database, sqlite3_stmt* statement) : database_(&database), statement_(statement) {}
  ~Rows();
  Rows(Rows&& other) noexcept;
  Rows& operator=(Rows&&) = delete;

  [[nodiscard]] Result<bool> next();  // false at the end
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string text(int column) const;

 private:
  Database* database_;
  sqlite3_stmt* statement_;
};

// Rolled back unless committed. Begins as a writer, so that a read cannot fail to become a write.
class Transaction {
 public:
  ~Transaction();
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;

  template <class... Args>
  [[nodiscard]] Result<Rows> query(const char* sql, const Args&... args) {
    HONE_TRY(sqlite3_stmt * statement, prepare(sql));
    int index = 0;
    Result<> bound;
    (void)((bound = bind(statement, ++index, args), bound.has_value()) && ...);
    Rows rows(*database_, statement);
    if (!bound) return fail(std::move(bound).error());
    return rows;
  }

  template <class... Args>
  [[nodiscard]] Result<> run(const char* sql, const Args&... args) {
    HONE_TRY(auto rows, query(sql, args...));
    HONE_TRY([[maybe_unused]] const bool more, rows.next());
    return {};
  }

  [[nodiscard]] std::int64_t changes() const;  // rows that the last run() changed
  [[nodiscard]] std::int64_t last_rowid() const;
  [[nodiscard]] Result<> commit();

 private:
  friend class Database;
  explicit Transaction(Database& database);
  [[nodiscard]] Result<sqlite3_stmt*> prepare(const char* sql);
  [[nodiscard]] Result<> bind(sqlite3_stmt* statement, int index, std::int64_t value);
  [[nodiscard]] Result<> bind(sqlite3_stmt* statement, int index, std::uint64_t value);
  [[nodiscard]] Result<> bind(sqlite3_stmt* statement, int index, int value);
  [[nodiscard]] Result<> bind(sqlite3_stmt* statement, int index, bool value);
  [[nodiscard]] Result<> bind(sqlite3_stmt* statement, int index, double value);
  [[nodiscard]] Result<> bind(sqlite3_stmt* statement, int index, std::string_view value);
  [[nodiscard]] Result<> bind(sqlite3_stmt* statement, int index, const std::string& value);
  [[nodiscard]] Result<> bind(sqlite3_stmt* statement, int index, const char* value);
  template <class T>
  [[nodiscard]] Result<> bind(sqlite3_stmt* statement, int index, const std::optional<T>& value) {
    return value ? bind(statement, index, *value) : bind_null(statement, index);
  }
  [[nodiscard]] Result<> bind_null(sqlite3_stmt* statement, int index);

  Database* database_;
  std::unique_lock<std::mutex> lock_;
  bool open_ = false;
};

class Database {
 public:
  // A path or ":memory:"; the schema is brought up to date. `invalid` for a database of a newer hone.
  [[nodiscard]] static Result<std::unique_ptr<Database>> open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] Result<Transaction> begin();

 private:
  friend class Rows;
  friend class Transaction;
  Database() = default;
  [[nodiscard]] Error error(std::string_view doing) const;
  [[nodiscard]] Result<> execute(const char* sql);
  [[nodiscard]] Result<> migrate();

  sqlite3* handle_ = nullptr;
  std::mutex mutex_;
  std::map<std::string, sqlite3_stmt*, std::less<>> statements_;  // guarded by mutex_; one per SQL text
};

}  // namespace hone::cloud::sqlite
