#include "cloud/store/sqlite/database.hpp"

#include <sqlite3.h>

#include <utility>

#include "cloud/store/sqlite/migrations.hpp"

namespace hone::cloud::sqlite {

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  std::unique_ptr<Database> database(new Database);
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
  if (sqlite3_open_v2(path.c_str(), &database->handle_, flags, nullptr) != SQLITE_OK) {
    return fail(database->error("open database " + path));
  }
  sqlite3_extended_result_codes(database->handle_, 1);
  sqlite3_busy_timeout(database->handle_, 5000);
  HONE_CHECK(database->execute("PRAGMA journal_mode = WAL"));
  HONE_CHECK(database->execute("PRAGMA synchronous = FULL"));
  HONE_CHECK(database->execute("PRAGMA foreign_keys = ON"));
  if (auto done = database->migrate(); !done) return fail(done.error().within("database " + path));
  return database;
}

Database::~Database() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

Result<Transaction> Database::begin() {
  Transaction transaction(*this);
  HONE_CHECK(execute("BEGIN IMMEDIATE"));
  transaction.open_ = true;
  return transaction;
}

Result<> Database::migrate() {
  HONE_TRY(auto tx, begin());
  std::int64_t version = 0;
  {
    HONE_TRY(auto rows, tx.query("PRAGMA user_version"));
    HONE_TRY(const bool found, rows.next());
    if (found) version = rows.integer(0);
  }
  const auto migrations = all_migrations();
  const auto newest = static_cast<std::int64_t>(migrations.size());
  if (version > newest) {
    return fail(Code::invalid, "it has schema " + std::to_string(version) + ", this hone-cloud knows up to " +
                                   std::to_string(newest) + ": start the newer hone-cloud that wrote it");
  }
  for (auto next = version; next < newest; ++next) {
    if (auto done = execute(migrations[static_cast<std::size_t>(next)]); !done) {
      return fail(done.error().within("migration " + std::to_string(next + 1)));
    }
  }
  HONE_CHECK(execute(("PRAGMA user_version = " + std::to_string(newest)).c_str()));
  return tx.commit();
}

Result<> Database::execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return fail(error("database"));
  return {};
}

Error Database::error(std::string_view doing) const {
  const int code = handle_ == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(handle_);
  const std::string what = std::string(doing) + ": " + (handle_ == nullptr ? "out of memory" : sqlite3_errmsg(handle_));
  switch (code & 0xff) {
    case SQLITE_FULL: return {Code::no_space, what};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return {Code::damaged, what};
    case SQLITE_CONSTRAINT:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM: return {Code::invalid, what};
    default: return {Code::unavailable, what};
  }
}

Transaction::Transaction(Database& database) : database_(&database), lock_(database.mutex_) {}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(other.database_), lock_(std::move(other.lock_)), open_(std::exchange(other.open_, false)) {}

Transaction::~Transaction() {
  if (open_) (void)database_->execute("ROLLBACK");
}

Result<> Transaction::commit() {
  if (auto done = database_->execute("COMMIT"); !done) return done;  // the destructor rolls back
  open_ = false;
  return {};
}

std::int64_t Transaction::changes() const {
  return sqlite3_changes(database_->handle_);
}
std::int64_t Transaction::last_rowid() const {
  return sqlite3_last_insert_rowid(database_->handle_);
}

Result<sqlite3_stmt*> Transaction::prepare(const char* sql) {
  if (const auto known = database_->statements_.find(std::string_view(sql)); known != database_->statements_.end()) {
    return known->second;
  }
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database_->handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return fail(database_->error(std::string("prepare: ") + sql));
  }
  database_->statements_.emplace(sql, statement);
  return statement;
}

Result<> Transaction::bind(sqlite3_stmt* statement, int index, std::int64_t value) {
  if (sqlite3_bind_int64(statement, index, value) != SQLITE_OK) return fail(database_->error("bind"));
  return {};
}
Result<> Transaction::bind(sqlite3_stmt* statement, int index, std::uint64_t value) {
  return bind(statement, index, static_cast<std::int64_t>(value));
}
Result<> Transaction::bind(sqlite3_stmt* statement, int index, int value) {
  return bind(statement, index, static_cast<std::int64_t>(value));
}
Result<> Transaction::bind(sqlite3_stmt* statement, int index, bool value) {
  return bind(statement, index, static_cast<std::int64_t>(value));
}
Result<> Transaction::bind(sqlite3_stmt* statement, int index, double value) {
  if (sqlite3_bind_double(statement, index, value) != SQLITE_OK) return fail(database_->error("bind"));
  return {};
}
Result<> Transaction::bind(sqlite3_stmt* statement, int index, std::string_view value) {
  const int size = static_cast<int>(value.size());
  const char* data = value.data() == nullptr ? "" : value.data();  // a null pointer would bind NULL
  if (sqlite3_bind_text(statement, index, data, size, SQLITE_TRANSIENT) != SQLITE_OK) {
    return fail(database_->error("bind"));
  }
  return {};
}
Result<> Transaction::bind(sqlite3_stmt* statement, int index, const std::string& value) {
  return bind(statement, index, std::string_view(value));
}
Result<> Transaction::bind(sqlite3_stmt* statement, int index, const char* value) {
  return bind(statement, index, std::string_view(value));
}
Result<> Transaction::bind_null(sqlite3_stmt* statement, int index) {
  if (sqlite3_bind_null(statement, index) != SQLITE_OK) return fail(database_->error("bind"));
  return {};
}

Rows::Rows(Rows&& other) noexcept : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}

Rows::~Rows() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Result<bool> Rows::next() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return fail(database_->error("database"));
}

bool Rows::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}
std::int64_t Rows::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}
double Rows::real(int column) const {
  return sqlite3_column_double(statement_, column);
}
std::string Rows::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::string() : std::string(data, size);
}

}  // namespace hone::cloud::sqlite
