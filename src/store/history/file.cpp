// Opens history.db.
#include "store/history/file.h"

#include "store/history/number.h"
#include "store/history/raw_block.h"

namespace lightship::history {
namespace {

constexpr int kApplication = 0x4c536869;  // "LShi", PRAGMA application_id

constexpr const char* kTables = R"(
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS series(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, unit TEXT NOT NULL, kind INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS layout(id INTEGER PRIMARY KEY, members BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS journal(
  id INTEGER PRIMARY KEY, tier INTEGER NOT NULL, layout INTEGER NOT NULL, at INTEGER NOT NULL,
  till INTEGER NOT NULL, blob BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS chunk(
  tier INTEGER NOT NULL, series INTEGER NOT NULL, start INTEGER NOT NULL, layout INTEGER NOT NULL,
  end INTEGER NOT NULL, rows INTEGER NOT NULL, blob BLOB NOT NULL,
  PRIMARY KEY(tier, series, start, layout)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event(
  id INTEGER PRIMARY KEY, series INTEGER NOT NULL, at INTEGER NOT NULL, what INTEGER NOT NULL,
  before REAL, after REAL, increase REAL);
)";

}  // namespace

Result<sqlite::Database> open_for_writing(const std::filesystem::path& file) {
  auto opened = sqlite::Database::open(
      file, {.sync = sqlite::Sync::normal, .access = sqlite::Access::shared, .cache_kib = 1024});
  if (!opened) return opened;
  auto& database = *opened;
  const auto version = database.integer("PRAGMA user_version");
  if (!version) return within(file.string(), version.error());
  if (sqlite::is_garbage(*version))
    return fail(Errc::malformed, "{}: {} is no version of the format", file.string(), *version);
  if (*version > kVersion) {
    return fail(Errc::refused,
                "{} was written by a newer program (version {} of the format, this one writes {})",
                file.string(), *version, kVersion);
  }
  // Deleted pages are not overwritten with zeros (Debian's default): twice the writing for nothing.
  auto done = database.execute("PRAGMA secure_delete=OFF;PRAGMA journal_size_limit=4194304;");
  if (done && *version < kVersion) {
    done = database.execute(
        fmt::format("BEGIN;{}PRAGMA application_id={};PRAGMA user_version={};COMMIT", kTables,
                    kApplication, kVersion));
    if (!done) (void)database.execute("ROLLBACK");
  }
  if (!done) return within(file.string(), done.error());
  return opened;
}

Result<sqlite::Database> open_for_reading(const std::filesystem::path& file) {
  std::error_code failed;
  if (!std::filesystem::exists(file, failed)) {
    return fail(Errc::unavailable, "there is no {}: nothing was recorded yet", file.string());
  }
  auto opened =
      sqlite::Database::open(file, {.access = sqlite::Access::read_only, .cache_kib = 2048});
  if (!opened) return opened;
  const auto version = opened->integer("PRAGMA user_version");
  if (!version) return within(file.string(), version.error());
  if (*version != kVersion) {
    return fail(Errc::unavailable, "{} is of version {} of the format, this program reads {}",
                file.string(), *version, kVersion);
  }
  return opened;
}

std::int64_t meta(sqlite::Database& database, std::string_view key, std::int64_t otherwise) {
  auto select = database.prepare("SELECT value FROM meta WHERE key=?");
  if (!select) return otherwise;
  select->bind(0, key);
  const auto row = select->step();
  return row && *row ? select->integer(0) : otherwise;
}

Result<void> set_meta(sqlite::Database& database, std::string_view key, std::int64_t value) {
  auto put = database.prepare("INSERT OR REPLACE INTO meta VALUES(?,?)");
  if (!put) return fail(put.error());
  return put->bind(0, key).bind(1, value).run();
}

ByteVector encode_members(const std::vector<std::int64_t>& series) {
  ByteVector out;
  std::int64_t before = 0;
  for (const auto id : series) {
    put_signed(out, id - before);
    before = id;
  }
  return out;
}

std::vector<std::int64_t> decode_members(Bytes blob) {
  std::vector<std::int64_t> series;
  Reader in(blob);
  std::int64_t before = 0;
  while (in.left() > 0 && series.size() < kMostMembers) {
    before = plus(before, get_signed(in));
    series.push_back(before);
  }
  return series;
}

}  // namespace lightship::history
