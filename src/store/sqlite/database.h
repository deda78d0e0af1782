// SQLite behind a thin interface: one connection, prepared statements, errors as values.
//
// A Database and its Statements belong to one thread at a time (SQLITE_THREADSAFE threading mode
// "multi-thread"). It is opened in WAL mode: a commit is one append, readers do not wait for the
// writer, and what was committed outlives a kill -9; with `Sync::full` also a power cut
// (https://www.sqlite.org/wal.html, https://www.sqlite.org/pragma.html#pragma_synchronous).
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace lightship::sqlite {

// A prepared statement. Texts and blobs that are bound must live until `reset`; columns are valid
// until the next `step` or `reset`. Columns and parameters count from 0.
class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(statement_, other.statement_);
    return *this;
  }
  ~Statement();

  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, double value);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind(int parameter, Bytes blob);
  Statement& bind_null(int parameter);

  // True: a row is there. False: done.
  Result<bool> step();
  // Runs it to its end and makes it ready for the next run.
  Result<void> run();
  void reset();

  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string_view text(int column) const;
  Bytes blob(int column) const;
  bool is_null(int column) const;
  enum class Kind { integer, real, text, blob, null };
  Kind kind(int column) const;

  sqlite3_stmt* raw() const { return statement_; }

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite3_stmt* statement_ = nullptr;
};

enum class Sync { normal, full };
enum class Access {
  exclusive,  // one process alone; no shared memory file
  shared,     // others may read meanwhile
  read_only   // one of those others
};

class Database {
 public:
  struct Options {
    Sync sync = Sync::normal;
    Access access = Access::shared;
    int page_size = 4096;             // of a file that is made now, bytes
    int cache_kib = 2048;             // memory for pages
    int checkpoint_pages = 1000;      // the log is carried over when it has so many
    bool incremental_vacuum = false;  // of a file that is made now: free pages may leave it
    bool keep_log = false;      // the log's file outlives a close: its room on the disk stays ours
    const char* vfs = nullptr;  // another way to the file than the system's, by name
  };

  // `file` empty: in memory. Errors: unavailable (cannot be opened, locked by another; SQLite's
  // code in `detail`), malformed (not a database, or a damaged one).
  static Result<Database> open(const std::filesystem::path& file, const Options& options);

  Database(Database&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Database& operator=(Database&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Database();

  // One or more statements without results.
  Result<void> execute(const std::string& sql);
  Result<Statement> prepare(std::string_view sql);
  // The first column of the first row; 0 where there is none.
  Result<std::int64_t> integer(std::string_view sql);

  std::int64_t last_insert_id() const;
  std::int64_t changes() const;

  // The first complaint of `PRAGMA quick_check`, or nothing when the file is sound; nothing, too,
  // when it is given up because of `stop` (set by any thread) or `until`.
  Result<std::string> check(const std::atomic<bool>* stop = nullptr,
                            MonoTime until = MonoTime::max());

  // Statements end with an error when it is set, by any thread; nullptr: not any more.
  void interrupt_with(const std::atomic<bool>* stop);

  sqlite3* handle() const { return handle_; }

 private:
  explicit Database(sqlite3* handle) : handle_(handle) {}
  sqlite3* handle_ = nullptr;
};

// Rolls back unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_ = nullptr;
};

// What SQLite answered last: Errc::malformed for a damaged file, Errc::unavailable for a full or
// failing disk, a lock or a missing right; its extended result code in `detail`.
Error last_error(sqlite3* handle);

// True for SQLITE_FULL and its kin: room on the disk would mend it.
// A PRAGMA user_version that no program of ours has written or will.
constexpr bool is_garbage(std::int64_t version) { return version < 0 || version > 1000; }

bool is_full(const Error& error);

}  // namespace lightship::sqlite
