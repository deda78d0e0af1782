// Opens, prepares, steps.
#include "store/sqlite/database.h"

#include <sqlite3.h>

namespace lightship::sqlite {

static_assert(SQLITE_VERSION_NUMBER >= 3024000, "upsert is needed");

Error last_error(sqlite3* handle) {
  const int code = sqlite3_extended_errcode(handle);
  const bool damaged = (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
  std::string text = sqlite3_errmsg(handle);
  const int cause = sqlite3_system_errno(handle);
  if ((code & 0xff) == SQLITE_IOERR && cause != 0) {
    text += ": ";
    text += std::generic_category().message(cause);
  }
  return {damaged ? Errc::malformed : Errc::unavailable, std::move(text), code};
}

bool is_full(const Error& error) { return (error.detail & 0xff) == SQLITE_FULL; }

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(int parameter, std::int64_t value) {
  sqlite3_bind_int64(statement_, parameter + 1, value);
  return *this;
}

Statement& Statement::bind(int parameter, double value) {
  sqlite3_bind_double(statement_, parameter + 1, value);
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
  const char* start = text.empty() ? "" : text.data();
  sqlite3_bind_text64(statement_, parameter + 1, start, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(int parameter, Bytes blob) {
  const void* start = blob.empty() ? static_cast<const void*>("") : blob.data();
  sqlite3_bind_blob64(statement_, parameter + 1, start, blob.size(), SQLITE_STATIC);
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  sqlite3_bind_null(statement_, parameter + 1);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return fail(last_error(sqlite3_db_handle(statement_)));
}

Result<void> Statement::run() {
  for (;;) {
    const auto row = step();
    if (!row) {
      reset();
      return fail(row.error());
    }
    if (!*row) break;
  }
  reset();
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string_view Statement::text(int column) const {
  const auto* start = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return start == nullptr ? std::string_view() : std::string_view(start, size);
}

Bytes Statement::blob(int column) const {
  const auto* start = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return start == nullptr ? Bytes() : Bytes(start, size);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Statement::Kind Statement::kind(int column) const {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER:
      return Kind::integer;
    case SQLITE_FLOAT:
      return Kind::real;
    case SQLITE_TEXT:
      return Kind::text;
    case SQLITE_BLOB:
      return Kind::blob;
    default:
      return Kind::null;
  }
}

namespace {
// With statements that are sound themselves, an error without a name means that the file's header
// or schema cannot be understood ("unsupported file format").
Error at_opening(Error error) {
  if (error.detail == SQLITE_ERROR) error.code = Errc::malformed;
  return error;
}
}  // namespace

Result<Database> Database::open(const std::filesystem::path& file, const Options& options) {
  sqlite3* handle = nullptr;
  const std::string name = file.empty() ? ":memory:" : file.string();
  const int access = options.access == Access::read_only
                         ? SQLITE_OPEN_READONLY
                         : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int opened = sqlite3_open_v2(
      name.c_str(), &handle, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, options.vfs);
  Database database(handle);
  if (opened != SQLITE_OK) {
    if (handle == nullptr) return fail(Errc::unavailable, "{}: out of memory", name);
    return within(name, last_error(handle));
  }
  sqlite3_busy_timeout(handle, 2000);
  if (options.keep_log) {
    int on = 1;
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
  }
  std::string setup;
  if (options.access == Access::exclusive) setup += "PRAGMA locking_mode=EXCLUSIVE;";
  if (options.access != Access::read_only) {
    setup += fmt::format("PRAGMA page_size={};", options.page_size);
    if (options.incremental_vacuum) setup += "PRAGMA auto_vacuum=INCREMENTAL;";
    setup += fmt::format("PRAGMA journal_mode=WAL;PRAGMA synchronous={};",
                         options.sync == Sync::full ? "FULL" : "NORMAL");
    setup += fmt::format("PRAGMA wal_autocheckpoint={};", options.checkpoint_pages);
  }
  setup += fmt::format("PRAGMA cache_size=-{};PRAGMA temp_store=MEMORY;", options.cache_kib);
  if (auto done = database.execute(setup); !done) return within(name, at_opening(done.error()));
  // Asks for the file itself: what is not a database shows here, and a lock of another process.
  if (auto tables = database.integer("SELECT count(*) FROM sqlite_schema"); !tables) {
    return within(name, at_opening(tables.error()));
  }
  return database;
}

Database::~Database() { sqlite3_close_v2(handle_); }

Result<void> Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return fail(last_error(handle_));
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return fail(last_error(handle_));
  return Statement(statement);
}

Result<std::int64_t> Database::integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return fail(statement.error());
  const auto row = statement->step();
  if (!row) return fail(row.error());
  return *row ? statement->integer(0) : 0;
}

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(handle_); }

std::int64_t Database::changes() const { return sqlite3_changes64(handle_); }

namespace {
struct Patience {
  const std::atomic<bool>* stop;
  MonoTime until;
};
int is_over(void* given) {
  const auto& patience = *static_cast<const Patience*>(given);
  return (patience.stop != nullptr && *patience.stop) || steady_now() > patience.until ? 1 : 0;
}
}  // namespace

void Database::interrupt_with(const std::atomic<bool>* stop) {
  constexpr int kSteps = 10'000;
  const auto is_set = [](void* given) { return *static_cast<std::atomic<bool>*>(given) ? 1 : 0; };
  sqlite3_progress_handler(handle_, stop == nullptr ? 0 : kSteps,
                           stop == nullptr ? nullptr : +is_set,
                           const_cast<std::atomic<bool>*>(stop));
}

Result<std::string> Database::check(const std::atomic<bool>* stop, MonoTime until) {
  // A few milliseconds of SQLite's steps.
  constexpr int kSteps = 10'000;
  Patience patience{stop, until};
  if (is_over(&patience) != 0) return std::string();
  auto statement = prepare("PRAGMA quick_check(1)");
  if (!statement) return fail(statement.error());
  sqlite3_progress_handler(handle_, kSteps, is_over, &patience);
  const auto row = statement->step();
  sqlite3_progress_handler(handle_, 0, nullptr, nullptr);
  if (!row && (row.error().detail & 0xff) == SQLITE_INTERRUPT) return std::string();
  if (!row) return fail(row.error());
  const std::string answer(*row ? statement->text(0) : "");
  return answer == "ok" ? std::string() : answer;
}

Result<Transaction> Transaction::begin(Database& database) {
  if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return fail(begun.error());
  return Transaction(database);
}

Transaction::~Transaction() {
  // A full disk may have rolled back by itself; then there is nothing left to do.
  if (database_ != nullptr) (void)database_->execute("ROLLBACK");
}

Result<void> Transaction::commit() {
  auto done = database_->execute("COMMIT");
  if (done) database_ = nullptr;
  return done;
}

}  // namespace lightship::sqlite
