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

void remove_with_log(const std::filesystem::path& file) {
  std::error_code ignored;
  for (const char* tail : {"", "-wal", "-shm"})
    std::filesystem::remove(file.string() + tail, ignored);
}

class Rescue {
 public:
  Rescue(Database& from, Database& to, const std::atomic<bool>& stop)
      : from_(from), to_(to), stop_(stop) {}

  Result<void> run(Salvaged& saved) {
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

 private:
  // A small table, as far as it can be read. Only writing can fail.
  Result<void> copy(const std::string& table, const std::string& columns, int count,
                    std::vector<std::int64_t>* firsts) {
    auto read = from_.prepare(fmt::format("SELECT {} FROM {}", columns, table));
    if (!read) return {};
    std::string marks = "?";
    for (int i = 1; i < count; ++i) marks += ",?";
    auto write =
        to_.prepare(fmt::format("INSERT OR IGNORE INTO {}({}) VALUES({})", table, columns, marks));
    if (!write) return fail(write.error());
    for (;;) {
      const auto row = read->step();
      if (!row || !*row) return {};
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
    if (stop_) return fail(Errc::cancelled, "the program stops; it is done at the next start");
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
    if (!one) return {};
    for (auto row = low + 1; row < high; ++row) {
      if (stop_) return fail(Errc::cancelled, "the program stops; it is done at the next start");
      one->bind(0, row);
      if (const auto got = one->step(); got && *got) {
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
    if (!read) return false;
    for (;;) {
      const auto row = read->step();
      if (!row) return false;
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
  if (!std::filesystem::exists(fresh, failed)) return;
  if (std::filesystem::exists(file, failed)) return remove_with_log(fresh);
  std::filesystem::rename(fresh.string() + "-wal", file.string() + "-wal", failed);
  std::filesystem::rename(fresh, file, failed);
}

Result<Salvaged> salvage(const std::filesystem::path& file, Time now,
                         const std::function<Result<Database>(const std::filesystem::path&)>& make,
                         const std::atomic<bool>& stop) {
  Salvaged saved;
  const auto fresh = beside(file);
  const std::filesystem::path copy = file.string() + ".first-page";
  remove_with_log(fresh);
  std::string why, mended;
  {
    auto to = make(fresh);
    if (!to) return within("taking over what is left of outbox.db", to.error());
    if (auto done = to->execute("PRAGMA wal_checkpoint(TRUNCATE)"); !done)
      return fail(done.error());
    mended = sqlite::mend_first_page(file, fresh, copy).value_or("");
    auto from = Database::open(mended.empty() ? file : copy,
                               {.access = sqlite::Access::shared, .checkpoint_pages = 0});
    if (from) {
      if (auto done = Rescue(*from, *to, stop).run(saved); !done) {
        remove_with_log(copy);
        return within("taking over what is left of outbox.db", done.error());
      }
    } else {
      why = from.error().text;
    }
    // Everything into the file itself, so that it can be renamed alone.
    if (auto done = to->execute("PRAGMA wal_checkpoint(TRUNCATE)"); !done)
      return fail(done.error());
  }
  remove_with_log(copy);
  saved.aside = file.string() + ".damaged-" + stamp(now);
  std::error_code failed;
  std::filesystem::remove(file.string() + "-shm", failed);
  std::filesystem::rename(file.string() + "-wal", saved.aside.string() + "-wal", failed);
  failed.clear();
  std::filesystem::rename(file, saved.aside, failed);
  if (failed) {
    return fail(Errc::unavailable, "cannot move {} aside: {}", file.string(), failed.message());
  }
  finish_salvage(file);
  const auto removed = sqlite::keep_newest_damaged(file);
  saved.text = fmt::format(
      "{} and {} were taken over{}{}; the damaged file lies at {}{}.",
      counted(saved.messages, "message"), counted(saved.counters, "sequence counter"),
      why.empty() ? "" : fmt::format(" (nothing could be read: {})", why),
      mended.empty() ? "" : " (" + mended + ")", saved.aside.string(),
      removed == 0 ? "" : fmt::format(" ({} of earlier damage removed)", counted(removed, "file")));
  return saved;
}

}  // namespace lightship
