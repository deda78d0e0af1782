// Reads what can be read of a damaged file.
#include "store/outbox_salvage.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "store/sqlite/first_page.h"

namespace lightship {
namespace {

using sqlite::Database;
using sqlite::Statement;

constexpr const char* kFields = "row,key,sequence,target,timestamp,interval,qos,retain,cost,body";
constexpr std::int64_t kEvery = 500;  // rows in one commit

std::string stamp(Time now) {
  std::string text = to_rfc3339(now).substr(0, 19);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + "Z";
}

std::filesystem::path beside(const std::filesystem::path& file) { return file.string() + ".new"; }

Error stopped() { return {Errc::cancelled, "the program stops; it is done at the next start", 0}; }

class Rescue {
 public:
  // Also one long statement ends with `stop`.
  Rescue(Database& from, Database& to, const std::atomic<bool>& stop)
      : from_(from), to_(to), stop_(stop) {
    from_.interrupt_with(&stop);
    to_.interrupt_with(&stop);
  }
  ~Rescue() {
    from_.interrupt_with(nullptr);
    to_.interrupt_with(nullptr);
  }
  Rescue(const Rescue&) = delete;
  Rescue& operator=(const Rescue&) = delete;

  // What breaks off because of `stop` looks like damage: it is none.
  Result<void> run(Salvaged& saved) {
    auto done = take_all(saved);
    if (stop_) return fail(stopped());
    return done;
  }

 private:
  Result<void> take_all(Salvaged& saved) {
    auto insert = to_.prepare(
        "INSERT OR IGNORE INTO message(row,key,sequence,target,timestamp,interval,qos,retain,cost,"
        "body) VALUES(?,?,?,?,?,?,?,?,?,?)");
    if (!insert) return fail(insert.error());
    insert_ = std::move(*insert);
    if (auto begun = to_.execute("BEGIN"); !begun) return begun;
    std::vector<std::int64_t> queues;
    if (auto done = copy("queue", "number,name", 2, &queues); !done) return done;
    if (auto done = copy("counter", "queue,key,last", 3, nullptr); !done) return done;
    if (auto done = copy("meta", "name,value", 2, nullptr); !done) return done;
    if (auto done = copy("aside",
                         "id,queue,row,at,reason,key,sequence,target,timestamp,interval,qos,retain,"
                         "body",
                         13, nullptr);
        !done)
      return done;
    // A queue whose name is gone is of no use, but its numbers would be taken by another.
    for (std::int64_t lane = 0;
         lane < 2 * (1 + std::ranges::max(queues.empty() ? std::vector<std::int64_t>{16} : queues));
         ++lane) {
      if (auto done = rescue(lane << 47, (lane << 47) + ((std::int64_t{1} << 47) - 1)); !done)
        return done;
    }
    // The numbers of the messages themselves are a third witness.
    if (auto done = to_.execute(
            "INSERT INTO counter(queue,key,last) SELECT row>>48,key,max(sequence) FROM message "
            "WHERE sequence>0 GROUP BY 1,2 ON CONFLICT(queue,key) DO UPDATE SET "
            "last=max(last,excluded.last)");
        !done)
      return done;
    saved.messages = messages_;
    saved.counters = counters_;
    return to_.execute("COMMIT");
  }

  static Result<void> unless_passing(const Error& error) {
    if (sqlite::is_passing(error)) return fail(error);
    return {};
  }
  static Result<bool> broken(const Error& error) {
    if (sqlite::is_passing(error)) return fail(error);
    return false;
  }

  // A small table, as far as it can be read. Its damage is no failure.
  Result<void> copy(const std::string& table, const std::string& columns, int count,
                    std::vector<std::int64_t>* firsts) {
    auto read = from_.prepare(fmt::format("SELECT {} FROM {}", columns, table));
    if (!read) return unless_passing(read.error());
    std::string marks = "?";
    for (int i = 1; i < count; ++i) marks += ",?";
    auto write =
        to_.prepare(fmt::format("INSERT OR IGNORE INTO {}({}) VALUES({})", table, columns, marks));
    if (!write) return fail(write.error());
    for (;;) {
      const auto row = read->step();
      if (!row) return unless_passing(row.error());
      if (!*row) return {};
      if (firsts != nullptr) firsts->push_back(read->integer(0));
      if (auto done = put(*read, *write, count); !done) return done;
      if (table == "counter") ++counters_;
    }
  }

  static Result<void> put(Statement& read, Statement& write, int count) {
    for (int i = 0; i < count; ++i) {
      switch (read.kind(i)) {
        case Statement::Kind::integer:
          write.bind(i, read.integer(i));
          break;
        case Statement::Kind::text:
          write.bind(i, read.text(i));
          break;
        default:
          write.bind(i, read.blob(i));
      }
    }
    return write.run();
  }

  Result<void> take(Statement& read) {
    // A torn row shows by what cannot be in one.
    if (read.kind(9) != Statement::Kind::blob || read.blob(9).empty() || read.blob(9)[0] != '{')
      return {};
    if (stop_) return fail(stopped());
    if (auto done = put(read, insert_, 10); !done) return done;
    if (++messages_ % kEvery == 0) return to_.execute("COMMIT;BEGIN");
    return {};
  }

  // Forwards until it breaks, backwards until it breaks, and what lies between one by one.
  Result<void> rescue(std::int64_t first, std::int64_t last) {
    std::int64_t low = first - 1, high = last + 1;
    if (auto whole = walk(first, last, true, low); !whole)
      return fail(whole.error());
    else if (*whole)
      return {};
    if (auto back = walk(low + 1, last, false, high); !back) return fail(back.error());
    constexpr std::int64_t kMost = 1'000'000;
    if (high - low > kMost) return {};
    auto one = from_.prepare(fmt::format("SELECT {} FROM message WHERE row=?", kFields));
    if (!one) return unless_passing(one.error());
    for (auto row = low + 1; row < high; ++row) {
      if (stop_) return fail(stopped());
      one->bind(0, row);
      const auto got = one->step();
      if (!got) {
        if (auto done = unless_passing(got.error()); !done) return done;
      } else if (*got) {
        if (auto done = take(*one); !done) return done;
      }
      one->reset();
    }
    return {};
  }

  // True: to the end. `reached`: the last row that was read.
  Result<bool> walk(std::int64_t first, std::int64_t last, bool forwards, std::int64_t& reached) {
    auto read = from_.prepare(
        fmt::format("SELECT {} FROM message WHERE row BETWEEN {} AND {} ORDER BY row {}", kFields,
                    first, last, forwards ? "ASC" : "DESC"));
    if (!read) return broken(read.error());
    for (;;) {
      const auto row = read->step();
      if (!row) return broken(row.error());
      if (!*row) return true;
      const auto at = read->integer(0);
      // Rows out of order are no rows of ours.
      if (at < first || at > last) return false;
      reached = at;
      if (auto done = take(*read); !done) return fail(done.error());
    }
  }

  Database &from_, &to_;
  const std::atomic<bool>& stop_;
  Statement insert_;
  std::size_t messages_ = 0, counters_ = 0;
};

}  // namespace

void finish_salvage(const std::filesystem::path& file) {
  std::error_code failed;
  const auto fresh = beside(file);
  // Its index is made anew at each opening.
  std::filesystem::remove(fresh.string() + "-shm", failed);
  if (!std::filesystem::exists(fresh, failed)) return;
  if (std::filesystem::exists(file, failed)) return sqlite::remove_with_log(fresh);
  // What is left of the damaged file's log must not lie beside another one; what could be read of
  // it is taken over.
  sqlite::remove_with_log(file);
  std::filesystem::rename(fresh.string() + "-wal", file.string() + "-wal", failed);
  std::filesystem::rename(fresh, file, failed);
}

Result<Salvaged> salvage(const std::filesystem::path& file, Time now,
                         const std::function<Result<Database>(const std::filesystem::path&)>& make,
                         const std::atomic<bool>& stop) {
  Salvaged saved;
  const auto fresh = beside(file);
  sqlite::remove_with_log(fresh);
  std::string why, mended;
  const auto taken = [&]() -> Result<void> {
    auto to = make(fresh);
    if (!to) return fail(to.error());
    if (auto done = to->execute("PRAGMA wal_checkpoint(TRUNCATE)"); !done) return done;
    const auto page = sqlite::mend_first_page(file, fresh);
    if (!page) return fail(page.error());
    mended = page->what;
    auto from = sqlite::open_damaged(file, *page);
    if (from) {
      if (auto done = Rescue(*from, *to, stop).run(saved); !done) return done;
    } else if (from.error().code == Errc::malformed) {
      why = from.error().text;
    } else {
      return fail(from.error());  // a later try may find everything
    }
    // Everything into the file itself, so that it can be renamed alone.
    return to->execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }();
  if (!taken) {
    sqlite::remove_with_log(fresh);
    return within("taking over what is left of outbox.db", taken.error());
  }
  saved.aside = file.string() + ".damaged-" + stamp(now);
  sqlite::remove_with_log(saved.aside);  // of the same second, by a clock that stands still
  std::error_code failed;
  std::filesystem::rename(file, saved.aside, failed);
  if (failed) {
    sqlite::remove_with_log(fresh);
    return fail(Errc::unavailable, "cannot move {} aside: {}", file.string(), failed.message());
  }
  // From here on the new one is the outbox, whatever ends the program.
  std::filesystem::rename(file.string() + "-wal", saved.aside.string() + "-wal", failed);
  finish_salvage(file);
  const auto removed = sqlite::keep_only_damaged(file, saved.aside);
  saved.text = fmt::format(
      "{} and {} were taken over{}{}; the damaged file lies at {}{}.",
      counted(saved.messages, "message"), counted(saved.counters, "sequence counter"),
      why.empty() ? "" : fmt::format(" (nothing could be read: {})", why),
      mended.empty() ? "" : " (" + mended + ")", saved.aside.string(),
      removed == 0 ? "" : fmt::format(" ({} of earlier damage removed)", counted(removed, "file")));
  return saved;
}

}  // namespace lightship
