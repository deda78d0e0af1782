// Opening, committing and reading the outbox file.
#include "store/outbox_disk.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <fstream>

#include "store/outbox_salvage.h"
#include "store/outbox_statements.h"

namespace lightship {
namespace {

using sqlite::Database;
using sqlite::Statement;
using sqlite::Transaction;

// Pages that are kept free in the file, and the log's room beside it: with them messages come and
// go on a disk that others have filled.
constexpr std::int64_t kReservePages = 512;
constexpr std::int64_t kLogPages = 512;
constexpr std::int64_t kPage = 4096;
constexpr int kGrowth = 256 * 1024;  // the file grows by so much at a time
// Free pages beyond this leave the file, some at each commit.
constexpr std::int64_t kManyFree = 4 * kReservePages;
constexpr std::int64_t kMostAside = 1000;
constexpr unsigned kReserveAt = 3;
constexpr auto kGeneration = std::chrono::hours(1);

constexpr const char* kSchema = R"(
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS queue(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS counter(queue INTEGER NOT NULL, key TEXT NOT NULL, last INTEGER NOT NULL,
  PRIMARY KEY(queue, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message(row INTEGER PRIMARY KEY, key TEXT NOT NULL, sequence INTEGER NOT NULL,
  target TEXT NOT NULL, timestamp INTEGER NOT NULL, interval INTEGER NOT NULL, qos INTEGER NOT NULL,
  retain INTEGER NOT NULL, cost INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS aside(id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, row INTEGER NOT NULL,
  at INTEGER NOT NULL, reason TEXT NOT NULL, key TEXT NOT NULL, sequence INTEGER NOT NULL,
  target TEXT NOT NULL, timestamp INTEGER NOT NULL, interval INTEGER NOT NULL, qos INTEGER NOT NULL,
  retain INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
PRAGMA user_version=1;
COMMIT;
)";

Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::int64_t micros(Time time) { return time.time_since_epoch().count(); }

// Another process has the database open: it holds the byte of the log's index that says so
// (https://www.sqlite.org/walformat.html, 2.3.2, «dead-man switch»).
bool somebody_looks(const std::filesystem::path& file) {
  constexpr off_t kDeadManSwitch = 128;
  const int index = ::open((file.string() + "-shm").c_str(), O_RDWR | O_CLOEXEC);
  if (index < 0) return errno != ENOENT;
  struct flock held{};
  held.l_type = F_WRLCK;
  held.l_whence = SEEK_SET;
  held.l_start = kDeadManSwitch;
  held.l_len = 1;
  const bool known = ::fcntl(index, F_GETLK, &held) == 0;
  ::close(index);
  return !known || held.l_type != F_UNLCK;
}

Error full() {
  return {Errc::unavailable, "the disk has no room for the outbox to grow", SQLITE_FULL};
}

}  // namespace

OutboxDisk::OutboxDisk(std::filesystem::path file)
    : file_(std::move(file)),
      numbers_(file_.empty() ? std::filesystem::path{}
                             : file_.parent_path() / "outbox-numbers.json") {}

OutboxDisk::~OutboxDisk() { close(); }

void OutboxDisk::close() {
  if (numbered_) begin_generation();
  statements_.reset();
  bool carried_over = false;
  if (database_ && !file_.empty()) {
    if (auto done = database_->prepare("PRAGMA wal_checkpoint(PASSIVE)")) {
      const auto row = done->step();
      carried_over = row && *row && done->integer(0) == 0 && done->integer(1) >= 0 &&
                     done->integer(1) == done->integer(2);
    }
  }
  database_.reset();
  // The log's file stays for its room. What is in it is in the database too, and would only be
  // dangerous beside another one, from a backup.
  if (carried_over && !somebody_looks(file_)) {
    std::fstream log(file_.string() + "-wal", std::ios::in | std::ios::out | std::ios::binary);
    const char nothing[32] = {};
    log.write(nothing, sizeof nothing);
  }
}

Result<Database> OutboxDisk::open_sound(const std::filesystem::path& file, bool* was_empty) {
  std::error_code unknown;
  if (std::filesystem::is_directory(file, unknown)) {
    return fail(Errc::invalid,
                "{} is a directory, and the outbox must be a file there: move the directory away",
                file.string());
  }
  Database::Options options;
  options.sync = sqlite::Sync::full;
  options.access = sqlite::Access::shared;
  options.page_size = kPage;
  options.cache_kib = 512;
  options.checkpoint_pages = static_cast<int>(kLogPages / 2);
  options.incremental_vacuum = true;
  options.keep_log = true;
  auto opened = Database::open(file, options);
  if (!opened) return opened;
  if (auto complaint = opened->check(&stop_); !complaint) {
    return fail(complaint.error());
  } else if (!complaint->empty()) {
    return fail(Errc::malformed, "{}", *complaint);
  }
  const auto version = opened->integer("PRAGMA user_version");
  if (!version) return fail(version.error());
  if (sqlite::is_garbage(*version))
    return fail(Errc::malformed, "layout {} is of no version", *version);
  if (*version > 1) {
    return fail(Errc::invalid,
                "{} was made by a newer version (layout {}, known is 1); use that one, or move the "
                "file away to go on without what waits in it",
                file.string(), *version);
  }
  if (*version == 1) return opened;
  if (was_empty != nullptr) *was_empty = true;
  if (auto made = opened->execute(kSchema); !made) return fail(made.error());
  return opened;
}

Result<OutboxDisk::Found> OutboxDisk::open(Time now, const Batch& known) {
  close();
  commits_ = 0;
  Found found;
  const bool was_there = !file_.empty() && std::filesystem::exists(file_);
  if (!file_.empty()) finish_salvage(file_);
  bool lost = false, was_empty = false;
  auto opened = open_sound(file_, &was_empty);
  if (!opened && opened.error().code == Errc::malformed) {
    const auto why = opened.error().text;
    auto saved = salvage(file_, now, [this](const auto& path) { return open_sound(path); }, stop_);
    waits_for_salvage_ = !saved;
    if (!saved) return fail(saved.error());
    found.damage = fmt::format("outbox.db was damaged ({}): {}", why, saved->text);
    lost = true;
    opened = open_sound(file_);
  }
  if (!opened) return fail(opened.error());
  waits_for_salvage_ = false;
  database_ = std::make_unique<Database>(std::move(*opened));
  if (!file_.empty()) {
    int growth = kGrowth;
    sqlite3_file_control(database_->handle(), "main", SQLITE_FCNTL_CHUNK_SIZE, &growth);
  }
  auto statements = Statements::prepare(*database_);
  if (!statements) return fail(statements.error());
  statements_ = std::move(*statements);
  if (!known.empty()) {
    Outcome outcome;
    if (auto put = write(known, true, known.inserts.size(), outcome); !put)
      return fail(put.error());
  }
  if (auto looked = look(found); !looked) return fail(looked.error());
  if (auto counted = settle_numbers(found, lost || !was_there || was_empty, was_there); !counted)
    return fail(counted.error());
  begin_generation();
  return found;
}

Result<void> OutboxDisk::reserve() {
  if (file_.empty()) return {};
  const auto free = database_->integer("PRAGMA freelist_count");
  if (!free) return fail(free.error());
  std::error_code unknown;
  const auto log = std::filesystem::file_size(file_.string() + "-wal", unknown);
  const bool log_is_small = unknown || log < static_cast<std::uintmax_t>(kLogPages * kPage);
  if (*free >= kReservePages && !log_is_small) return {};
  // What is written and dropped leaves free pages in the file and room in its log.
  const auto pages = std::max(kReservePages - *free, log_is_small ? kLogPages : 0);
  return database_->execute(fmt::format(
      "BEGIN IMMEDIATE;CREATE TABLE reserve(x);INSERT INTO reserve VALUES(zeroblob({}));"
      "DROP TABLE reserve;COMMIT;PRAGMA wal_checkpoint(PASSIVE);",
      pages * (kPage - 4)));
}

Result<void> OutboxDisk::look(Found& found) {
  auto queues = database_->prepare("SELECT number,name FROM queue");
  if (!queues) return fail(queues.error());
  for (;;) {
    const auto row = queues->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    found.queues[queues->integer(0)].name = queues->text(1);
  }
  for (auto& [number, queue] : found.queues) {
    for (const auto which : {Lane::alarm, Lane::measurement}) {
      auto& lane = queue.lanes[static_cast<std::size_t>(which)];
      auto& s = statements_->lane;
      s.bind(0, row(number, which, 0)).bind(1, row(number, which, kLastId));
      if (const auto got = s.step(); !got) return fail(got.error());
      lane.count = static_cast<std::size_t>(s.integer(0));
      lane.bytes = static_cast<std::size_t>(s.real(1));
      lane.newest = static_cast<std::uint64_t>(s.integer(2)) & kLastId;
      s.reset();
      found.last_id = std::max(found.last_id, lane.newest);
    }
    auto aside =
        database_->integer(fmt::format("SELECT count(*) FROM aside WHERE queue={}", number));
    if (!aside) return fail(aside.error());
    queue.aside = static_cast<std::uint64_t>(*aside);
  }
  const auto last_id = database_->integer("SELECT value FROM meta WHERE name='last_id'");
  if (!last_id) return fail(last_id.error());
  found.last_id = std::max(found.last_id, static_cast<std::uint64_t>(*last_id));
  auto counters = database_->prepare("SELECT queue,key,last FROM counter");
  if (!counters) return fail(counters.error());
  for (;;) {
    const auto row = counters->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    found.sequences[{counters->integer(0), std::string(counters->text(1))}] =
        static_cast<std::uint64_t>(counters->integer(2));
  }
}

OutboxDisk::Outcome OutboxDisk::commit(Batch& batch) {
  Outcome outcome;
  // Not at once: what was measured first should not wait for it. A disk that is full has no room to
  // reserve; what is there has to do.
  if (database_ && ++commits_ == kReserveAt) (void)reserve();
  if (!database_) {
    outcome.done = fail(Errc::unavailable, "outbox.db is not open");
    return outcome;
  }
  if (!file_.empty() && !batch.inserts.empty()) {
    std::map<std::string, std::uint64_t> last;
    for (const auto& insert : batch.inserts) {
      if (insert.message.sequence == 0) continue;
      auto& number = last[insert.queue_name + "/" + insert.message.key];
      number = std::max(number, insert.message.sequence);
    }
    if (steady_now() - generation_began_ > kGeneration) begin_generation();
    numbered_ = true;
    // Without it numbers are still safe in the database itself.
    (void)numbers_.cover(last);
  }
  const auto all = batch.inserts.size();
  auto room = room_for(batch, all);
  if (room) {
    outcome.done = write(batch, true, all, outcome);
    if (outcome.done || !sqlite::is_full(outcome.done.error())) {
      if (outcome.done && batch.may_shrink) (void)shrink();
      outcome.no_room_left = !file_.empty() && disk_is_full();
      return outcome;
    }
  } else {
    outcome.done = fail(room.error());
  }
  // Full: what leaves makes room for some of what comes.
  outcome.removed = false;
  outcome.trimmed.clear();
  if (auto removed = write(batch, true, 0, outcome); !removed) return outcome;
  for (auto some = all; some > 0; some /= 2) {
    if (!room_for(batch, some)) continue;
    if (auto put = write(batch, false, some, outcome); put) {
      if (some == all) outcome.done = {};
      break;
    }
  }
  return outcome;
}

// Whether so many of the inserts fit: into pages that are free, or pages that the disk gives now.
// Were they only promised, the log could later not be carried over into the file, and nothing could
// leave it any more.
Result<void> OutboxDisk::room_for(const Batch& batch, std::size_t inserts) {
  if (file_.empty() || inserts == 0) return {};
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < inserts; ++i) bytes += batch.inserts[i].message.cost() + 64;
  const auto need = static_cast<std::int64_t>(bytes / 3000) + 8;
  const auto free = database_->integer("PRAGMA freelist_count");
  if (!free) return fail(free.error());
  if (*free >= need) return {};
  const auto pages = database_->integer("PRAGMA page_count");
  if (!pages) return fail(pages.error());
  sqlite3_int64 size = (*pages + need) * kPage;
  if (sqlite3_file_control(database_->handle(), "main", SQLITE_FCNTL_SIZE_HINT, &size) !=
      SQLITE_OK) {
    return fail(full());
  }
  return {};
}

Result<void> OutboxDisk::write(const Batch& batch, bool removals, std::size_t inserts,
                               Outcome& outcome) {
  auto& s = *statements_;
  auto transaction = Transaction::begin(*database_);
  if (!transaction) return fail(transaction.error());
  std::vector<Trimmed> trimmed;
  if (removals) {
    for (const auto& [number, name] : batch.queues) {
      s.new_queue.bind(0, number).bind(1, std::string_view(name));
      if (auto done = s.new_queue.run(); !done) return done;
    }
    for (const auto& aside : batch.asides) {
      s.aside.bind(0, micros(aside.at)).bind(1, std::string_view(aside.reason)).bind(2, aside.row);
      if (auto done = s.aside.run(); !done) return done;
      s.remove.bind(0, aside.row);
      if (auto done = s.remove.run(); !done) return done;
    }
    if (!batch.asides.empty()) {
      s.forget_aside.bind(0, kMostAside);
      if (auto done = s.forget_aside.run(); !done) return done;
    }
    for (const auto row : batch.deletes) {
      s.remove.bind(0, row);
      if (auto done = s.remove.run(); !done) return done;
    }
    for (const auto& what : batch.trims) {
      auto gone = trim(what, trimmed);
      if (!gone) return gone;
    }
  }
  std::map<std::pair<std::int64_t, std::string_view>, std::uint64_t> last;
  std::uint64_t last_id = 0;
  for (std::size_t i = 0; i < inserts; ++i) {
    const auto& [queue, name, m] = batch.inserts[i];
    s.insert.bind(0, row(queue, m.lane, m.id)).bind(1, std::string_view(m.key));
    s.insert.bind(2, static_cast<std::int64_t>(m.sequence)).bind(3, std::string_view(m.target));
    s.insert.bind(4, micros(m.timestamp)).bind(5, static_cast<std::int64_t>(m.interval.count()));
    s.insert.bind(6, std::int64_t{m.qos}).bind(7, std::int64_t{m.retain});
    s.insert.bind(8, static_cast<std::int64_t>(m.cost())).bind(9, bytes_of(m.open_json));
    if (auto done = s.insert.run(); !done) return done;
    if (m.sequence != 0) last[{queue, m.key}] = m.sequence;
    last_id = std::max(last_id, m.id);
  }
  for (const auto& [at, number] : last) {
    s.count.bind(0, at.first).bind(1, at.second).bind(2, static_cast<std::int64_t>(number));
    if (auto done = s.count.run(); !done) return done;
  }
  // Where every message has left, the rows do not tell which ids were given.
  if (removals && !batch.deletes.empty()) {
    for (const auto row : batch.deletes)
      last_id = std::max(last_id, static_cast<std::uint64_t>(row) & kLastId);
    s.last_id.bind(0, static_cast<std::int64_t>(last_id));
    if (auto done = s.last_id.run(); !done) return done;
  }
  if (auto done = transaction->commit(); !done) return done;
  if (removals) {
    outcome.removed = true;
    outcome.trimmed = std::move(trimmed);
  }
  outcome.inserted = inserts;
  return {};
}

Result<void> OutboxDisk::trim(const Trim& what, std::vector<Trimmed>& trimmed) {
  std::size_t freed = 0;
  if (what.thin) {
    auto thinned = thin(what);
    if (!thinned) return fail(thinned.error());
    freed = thinned->bytes;
    if (thinned->count > 0) trimmed.push_back(*thinned);
  }
  if (freed >= what.bytes) return {};
  Trimmed gone{what.queue, what.lane, 0, 0, false};
  std::vector<std::int64_t> rows;
  auto& s = statements_->trim;
  s.bind(0, row(what.queue, what.lane, what.after)).bind(1, row(what.queue, what.lane, kLastId));
  s.bind(2, std::int64_t{100'000});
  while (freed + gone.bytes < what.bytes) {
    const auto got = s.step();
    if (!got) {
      s.reset();
      return fail(got.error());
    }
    if (!*got) break;
    rows.push_back(s.integer(0));
    gone.bytes += static_cast<std::size_t>(s.integer(1));
  }
  s.reset();
  for (const auto row : rows) {
    statements_->remove.bind(0, row);
    if (auto done = statements_->remove.run(); !done) return done;
  }
  gone.count = rows.size();
  if (gone.count > 0) trimmed.push_back(gone);
  return {};
}

// Every second message of each key goes, piece by piece through the older half of the lane; from
// its start again when that is done, so what is oldest gets thinnest.
Result<OutboxDisk::Trimmed> OutboxDisk::thin(const Trim& what) {
  constexpr std::int64_t kPiece = 4096;
  Trimmed gone{what.queue, what.lane, 0, 0, true};
  const auto first = row(what.queue, what.lane, what.after);
  const auto last = row(what.queue, what.lane, kLastId);
  const auto ends = [&](const char* which) {
    return database_->integer(
        fmt::format("SELECT {}(row) FROM message WHERE row>{} AND row<={}", which, first, last));
  };
  const auto oldest = ends("min"), newest = ends("max");
  if (!oldest) return fail(oldest.error());
  if (!newest) return fail(newest.error());
  if (*newest == 0) return gone;
  const auto middle = *oldest + (*newest - *oldest) / 2;
  auto& at = thinned_to_[{what.queue, static_cast<int>(what.lane)}];
  auto& s = statements_->trim;
  // Once from where the last time ended, once more from the start.
  for (int turn = 0; turn < 4 && gone.bytes < what.bytes; ++turn) {
    if (at < first || at >= middle) at = first;
    std::vector<std::int64_t> rows;
    std::map<std::string, bool, std::less<>> second;
    s.bind(0, at).bind(1, middle).bind(2, kPiece);
    for (;;) {
      const auto got = s.step();
      if (!got) {
        s.reset();
        return fail(got.error());
      }
      if (!*got) {
        at = middle;
        break;
      }
      at = s.integer(0);
      auto known = second.find(s.text(2));
      if (known == second.end()) known = second.emplace(std::string(s.text(2)), false).first;
      if (known->second) {
        rows.push_back(at);
        gone.bytes += static_cast<std::size_t>(s.integer(1));
      }
      known->second = !known->second;
      if (gone.bytes >= what.bytes) break;
    }
    s.reset();
    for (const auto row : rows) {
      statements_->remove.bind(0, row);
      if (auto done = statements_->remove.run(); !done) return fail(done.error());
    }
    gone.count += rows.size();
  }
  return gone;
}

bool OutboxDisk::disk_is_full() const {
  constexpr std::uintmax_t kLittle = 256 * 1024;
  std::error_code unknown;
  const auto space = std::filesystem::space(file_.parent_path(), unknown);
  return !unknown && space.available < kLittle;
}

Result<void> OutboxDisk::shrink() {
  const auto free = database_->integer("PRAGMA freelist_count");
  if (!free) return fail(free.error());
  if (*free <= kManyFree) return {};
  return database_->execute("PRAGMA incremental_vacuum(256)");
}

Result<OutboxDisk::Page> OutboxDisk::read(std::int64_t queue, Lane lane, std::uint64_t after,
                                          std::size_t most, std::size_t most_bytes) {
  if (!database_) return fail(Errc::unavailable, "outbox.db is not open");
  Page page;
  std::size_t bytes = 0;
  auto& s = statements_->read;
  s.bind(0, row(queue, lane, after)).bind(1, row(queue, lane, kLastId));
  s.bind(2, static_cast<std::int64_t>(most));
  for (;;) {
    const auto got = s.step();
    if (!got) {
      s.reset();
      return fail(got.error());
    }
    if (!*got) {
      page.all = page.messages.size() < most;
      break;
    }
    OutboxMessage m;
    m.id = static_cast<std::uint64_t>(s.integer(0)) & kLastId;
    m.lane = lane;
    m.key = s.text(1);
    m.sequence = static_cast<std::uint64_t>(s.integer(2));
    m.target = s.text(3);
    m.timestamp = Time(Duration(s.integer(4)));
    m.interval = Duration(s.integer(5));
    m.qos = static_cast<int>(s.integer(6));
    m.retain = s.integer(7) != 0;
    const auto body = s.blob(8);
    m.open_json.assign(body.begin(), body.end());
    bytes += m.cost();
    page.messages.push_back(std::move(m));
    if (bytes >= most_bytes) break;
  }
  s.reset();
  return page;
}

}  // namespace lightship
