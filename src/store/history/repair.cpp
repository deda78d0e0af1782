// Carries what can be read into a new file.
#include "store/history/repair.h"

#include <sqlite3.h>

#include "base/text.h"
#include "store/sqlite/first_page.h"

namespace lightship::history {
namespace {

constexpr std::uint64_t kCommitRows = 2000;
// Rows that cannot be read one after the other before a table's rest is given up in this direction.
constexpr int kPatience = 64;

// One table's walk: forward until it breaks, then backward from the end until it breaks there.
class Rescue {
 public:
  Rescue(sqlite::Database& from, sqlite::Database& to, Salvaged& told,
         const std::atomic<bool>* stop)
      : from_(from), to_(to), told_(told), stop_(stop) {}

  void series();
  void simple(const char* select, const char* insert, std::uint64_t& saved);
  void journal();
  void chunks();
  // What kept the new file from being written, if anything did.
  const std::optional<Error>& trouble() const { return trouble_; }

 private:
  // Copies the columns of each row; false where the walk broke.
  bool walk(const std::string& sql, const std::vector<std::int64_t>& bound, const char* insert,
            std::uint64_t& saved, std::int64_t* newest = nullptr);
  void begin() { check(to_.execute("BEGIN")); }
  void commit() { check(to_.execute("COMMIT")); }
  // A row that does not fit in its table is one lost; a disk that takes nothing ends the repair.
  void check(const Result<void>& done) {
    if (done || trouble_) return;
    const int code = done.error().detail & 0xff;
    if (code != SQLITE_CONSTRAINT && code != SQLITE_MISMATCH && code != SQLITE_TOOBIG)
      trouble_ = done.error();
  }

  sqlite::Database& from_;
  sqlite::Database& to_;
  Salvaged& told_;
  const std::atomic<bool>* stop_;
  std::optional<Error> trouble_;
};

bool Rescue::walk(const std::string& sql, const std::vector<std::int64_t>& bound,
                  const char* insert, std::uint64_t& saved, std::int64_t* newest) {
  if (trouble_) return true;  // there is no more to do
  auto select = from_.prepare(sql);
  auto put = to_.prepare(insert);
  for (const auto* statement : {&select, &put}) {
    if (*statement) continue;
    if (sqlite::is_passing(statement->error())) trouble_ = statement->error();
    return trouble_.has_value();
  }
  for (std::size_t i = 0; i < bound.size(); ++i) select->bind(static_cast<int>(i), bound[i]);
  const int columns = sqlite3_column_count(select->raw());
  for (;;) {
    if (stop_ != nullptr && *stop_) {
      trouble_ = Error{Errc::cancelled, "the program stops; it is repaired at the next start", 0};
      return true;
    }
    const auto row = select->step();
    if (!row && sqlite::is_passing(row.error())) {
      trouble_ = row.error();
      return true;
    }
    if (!row) return false;
    if (!*row) return true;
    for (int i = 0; i < columns; ++i)
      sqlite3_bind_value(put->raw(), i + 1, sqlite3_column_value(select->raw(), i));
    if (newest != nullptr) *newest = select->integer(0);
    const auto done = put->run();
    check(done);
    if (done && to_.changes() > 0 && ++saved % kCommitRows == 0) {
      commit();
      begin();
    }
    if (trouble_) return true;
  }
}

void Rescue::simple(const char* select, const char* insert, std::uint64_t& saved) {
  begin();
  if (!walk(select, {}, insert, saved)) {
    ++told_.lost;
    walk(std::string(select) + " ORDER BY 1 DESC", {}, insert, saved);
  }
  commit();
}

void Rescue::journal() {
  constexpr const char* insert = "INSERT OR IGNORE INTO journal VALUES(?,?,?,?,?,?)";
  begin();
  std::int64_t id = 0;
  int broken = 0;
  // Over a page that cannot be read, in growing steps.
  for (std::int64_t step = 1; broken < kPatience;
       ++broken, step = std::min<std::int64_t>(step * 2, 1 << 16)) {
    const auto was = id;
    if (walk("SELECT id, tier, layout, at, till, blob FROM journal WHERE id>? ORDER BY id", {id},
             insert, told_.blocks, &id))
      break;
    ++told_.lost;
    if (id > was) step = 1;
    id += step;
  }
  walk("SELECT id, tier, layout, at, till, blob FROM journal ORDER BY id DESC", {}, insert,
       told_.blocks);
  commit();
}

void Rescue::chunks() {
  constexpr const char* columns = "SELECT tier, series, start, layout, end, rows, blob FROM chunk ";
  constexpr const char* insert = "INSERT OR IGNORE INTO chunk VALUES(?,?,?,?,?,?,?)";
  begin();
  if (!walk(columns, {}, insert, told_.chunks)) {
    ++told_.lost;
    // Series by series: a page that is broken costs only those that lie in it.
    std::vector<std::int64_t> ids;
    for (const char* sql : {"SELECT id FROM series", "SELECT -id FROM layout"}) {
      auto select = to_.prepare(sql);
      if (!select) continue;
      for (auto row = select->step(); row && *row; row = select->step())
        ids.push_back(select->integer(0));
    }
    for (std::int64_t tier = 0; tier < 4; ++tier) {
      for (const auto id : ids) {
        const auto sql = std::string(columns) + "WHERE tier=? AND series=? ORDER BY start";
        if (walk(sql, {tier, id}, insert, told_.chunks)) continue;
        ++told_.lost;
        walk(sql + " DESC", {tier, id}, insert, told_.chunks);
      }
    }
  }
  commit();
}

void Rescue::series() {
  simple("SELECT id, name, unit, kind FROM series", "INSERT OR IGNORE INTO series VALUES(?,?,?,?)",
         told_.series);
  simple("SELECT id, members FROM layout", "INSERT OR IGNORE INTO layout VALUES(?,?)",
         told_.layouts);
}

std::filesystem::path repaired(const std::filesystem::path& file) {
  return file.string() + ".repaired";
}

Result<void> move(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code failed;
  std::filesystem::rename(from, to, failed);
  if (!failed) return {};
  return fail(Errc::unavailable, "{} cannot become {}: {}", from.string(), to.string(),
              failed.message());
}

}  // namespace

std::string Salvaged::text() const {
  return fmt::format(
      "{}saved were {} series, {} chunks, {} blocks of the newest values and {} events; {} places "
      "could not be read. The damaged file lies in {}{}",
      mended.empty() ? "" : mended + ", ", series, chunks, blocks, events, lost, aside.string(),
      removed == 0 ? "" : fmt::format(" ({} of earlier damage removed)", counted(removed, "file")));
}

Result<std::string> what_is_wrong(sqlite::Database& database, Duration limit,
                                  const std::atomic<bool>* stop) {
  auto answer = database.check(stop, steady_now() + limit);
  if (!answer && answer.error().code == Errc::malformed) return answer.error().text;
  return answer;
}

Result<void> finish_repair(const std::filesystem::path& file) {
  std::error_code failed;
  const auto fresh = repaired(file);
  if (!std::filesystem::exists(fresh, failed)) return {};
  if (std::filesystem::exists(file, failed)) {
    sqlite::remove_with_log(fresh);  // it did not come to its end
    return {};
  }
  // What is left of the damaged file's log must not lie beside another one; what could be read of
  // it is saved.
  sqlite::remove_with_log(file);
  return move(fresh, file);
}

Result<Salvaged> repair(const std::filesystem::path& file, Millis now,
                        const std::atomic<bool>* stop) {
  Salvaged told;
  auto name = to_rfc3339(from_millis(now));
  std::erase_if(name, [](char c) { return c == ':' || c == '-' || c == '.'; });
  told.aside = file;
  told.aside += ".damaged-" + name;
  const auto fresh_file = repaired(file);
  sqlite::remove_with_log(fresh_file);
  const auto saved = [&]() -> Result<void> {
    auto fresh = open_for_writing(fresh_file);
    if (!fresh) return fail(fresh.error());
    // What the log holds and is sound belongs to it: opened as a database, not as a bare file.
    if (auto done = fresh->execute("PRAGMA wal_checkpoint(TRUNCATE)"); !done) return done;
    const auto mended = sqlite::mend_first_page(file, fresh_file);
    if (!mended) return fail(mended.error());
    told.mended = mended->what;
    auto damaged = sqlite::open_damaged(file, *mended);
    // What is not damage goes by: a later try may find everything.
    if (!damaged && damaged.error().code != Errc::malformed) return fail(damaged.error());
    if (damaged) {
      Rescue rescue(*damaged, *fresh, told, stop);
      rescue.series();
      rescue.journal();
      rescue.chunks();
      rescue.simple("SELECT id, series, at, what, before, after, increase FROM event",
                    "INSERT OR IGNORE INTO event VALUES(?,?,?,?,?,?,?)", told.events);
      std::uint64_t settings = 0;
      rescue.simple("SELECT key, value FROM meta", "INSERT OR REPLACE INTO meta VALUES(?,?)",
                    settings);
      if (rescue.trouble()) return fail(*rescue.trouble());
    } else {
      ++told.lost;
    }
    // Everything into the file itself, so that it can be moved alone.
    return fresh->execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }();
  if (!saved) {
    sqlite::remove_with_log(fresh_file);
    return within("the history could not be repaired", saved.error());
  }
  std::error_code failed;
  for (const char* end : {"", "-wal", "-shm"}) {
    const std::filesystem::path part(file.string() + end);
    if (std::filesystem::exists(part, failed)) {
      if (auto done = move(part, told.aside.string() + end); !done) return fail(done.error());
    }
  }
  if (auto done = finish_repair(file); !done) return fail(done.error());
  told.removed = sqlite::keep_only_damaged(file, told.aside);
  return told;
}

}  // namespace lightship::history
