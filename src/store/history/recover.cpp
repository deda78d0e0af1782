// Makes up for a kill.
#include "store/history/recover.h"

#include <algorithm>
#include <limits>
#include <set>

#include "store/history/counter.h"
#include "store/history/raw_block.h"
#include "store/history/rollup_code.h"
#include "store/history/window.h"

namespace lightship::history {
namespace {

constexpr Millis kMinute = window_of(Tier::minute);

// One layout's raw rows, from `after` on, as roll-ups.
class MakeUp {
 public:
  MakeUp(std::vector<CounterJudge> judges, std::set<std::size_t> counters, Millis after)
      : windows_(judges.size()),
        judges_(std::move(judges)),
        counters_(std::move(counters)),
        increase_(windows_.size()),
        after_(after) {}

  struct Block {
    Millis start = 0, till = 0;
    std::size_t rows = 0;
    ByteVector bytes;
  };
  std::vector<Block> blocks;

  void cell(Millis at, std::size_t member, const Cell& cell) {
    if (member >= windows_.size()) return;
    if (at != at_ && at >= after_) next_row(at);
    at_ = at;
    const auto sample = sample_of(at, cell);
    const double value = as_double(sample.value);
    if (counters_.contains(member) && sample.reason == Reason::none) {
      const auto verdict =
          judges_[member].read(at, value, cell.format, std::numeric_limits<double>::quiet_NaN());
      if (at >= after_) increase_[member] += verdict.increase;
    }
    if (at < after_) return;
    if (sample.reason != Reason::none) {
      windows_[member].bad(from_millis(at), sample.reason, sample.code, hold_);
    } else if (cell.format != Format::text) {
      const auto format =
          cell.format == Format::truth || cell.format == Format::u64 ? Format::i64 : cell.format;
      windows_[member].good(from_millis(at), value, format, from_millis(open_), hold_);
    }
  }
  void finish() {
    if (begun_) close(at_, 1);
  }

 private:
  void next_row(Millis at) {
    if (begun_) {
      const auto wait = std::max<Millis>(at - at_, 1);
      // Three times the distance of the readings, as while running.
      hold_ = std::chrono::milliseconds(std::clamp<Millis>(3 * wait, 1000, 15 * kMinute));
      while (at >= open_ + kMinute && open_ <= at_) {
        close(open_ + kMinute);
        open_ += kMinute;
      }
    }
    if (!begun_ || at >= open_ + kMinute) open_ = floor_to(at, kMinute);
    begun_ = true;
  }
  // `beyond`: 1 where a value of the very end is accounted for.
  void close(Millis end, Millis beyond = 0) {
    RollupBlock block;
    Rollup rollup;
    for (std::size_t i = 0; i < windows_.size(); ++i) {
      if (!windows_[i].close(from_millis(open_), from_millis(end), hold_, rollup)) continue;
      rollup.increase = std::exchange(increase_[i], 0);
      block.add(i, rollup);
    }
    if (block.empty()) return;
    const auto rows = block.rows();
    blocks.push_back({open_, end + beyond, rows, block.take()});
  }

  std::vector<Window> windows_;
  std::vector<CounterJudge> judges_;
  std::set<std::size_t> counters_;
  std::vector<double> increase_;
  Millis after_, at_ = INT64_MIN, open_ = 0;
  Duration hold_ = std::chrono::seconds(30);
  bool begun_ = false;
};

Result<std::vector<std::int64_t>> integers(sqlite::Database& database, std::string_view sql) {
  auto select = database.prepare(sql);
  if (!select) return fail(select.error());
  std::vector<std::int64_t> found;
  for (;;) {
    const auto row = select->step();
    if (!row) return fail(row.error());
    if (!*row) return found;
    found.push_back(select->integer(0));
  }
}

Result<std::vector<MakeUp::Block>> made_up(sqlite::Database& database, std::int64_t layout,
                                           Millis rolled, Millis now) {
  auto newest =
      database.prepare("SELECT max(till) FROM journal WHERE tier=1 AND layout=? AND till<=?");
  if (!newest) return fail(newest.error());
  newest->bind(0, layout).bind(1, now);
  if (const auto row = newest->step(); !row) return fail(row.error());
  const auto after = std::max(rolled, newest->integer(0));
  newest->reset();
  auto younger = database.prepare("SELECT 1 FROM journal WHERE tier=0 AND layout=? AND till>=?");
  if (!younger) return fail(younger.error());
  younger->bind(0, layout).bind(1, after);
  const auto any = younger->step();
  if (!any) return fail(any.error());
  if (!*any) return std::vector<MakeUp::Block>{};
  younger->reset();

  auto select = database.prepare("SELECT members FROM layout WHERE id=?");
  auto about = database.prepare("SELECT unit, kind FROM series WHERE id=?");
  if (!select) return fail(select.error());
  if (!about) return fail(about.error());
  select->bind(0, layout);
  if (const auto row = select->step(); !row) return fail(row.error());
  std::vector<CounterJudge> judges;
  std::set<std::size_t> counters;
  for (const auto id : decode_members(select->blob(0))) {
    about->reset();
    about->bind(0, id);
    const auto row = about->step();
    if (!row) return fail(row.error());
    const bool known = *row;
    if (known && about->integer(1) == static_cast<std::int64_t>(Kind::counter))
      counters.insert(judges.size());
    judges.emplace_back(unit_hours(known ? about->text(0) : ""));
  }
  MakeUp up(std::move(judges), std::move(counters), after);
  auto rows = database.prepare(
      "SELECT at, blob FROM journal WHERE tier=0 AND layout=? AND till>? ORDER BY id");
  if (!rows) return fail(rows.error());
  rows->bind(0, layout).bind(1, after - kMinute);
  for (;;) {
    const auto row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    (void)decode_raw_block(rows->blob(1), rows->integer(0),
                           [&](std::size_t, Millis at, std::size_t member, const Cell& cell) {
                             up.cell(at, member, cell);
                           });
  }
  up.finish();
  return std::move(up.blocks);
}

}  // namespace

Result<std::uint64_t> make_up_rollups(sqlite::Database& database, Millis now) {
  auto rolled = meta(database, "rolled_up_till", 0);
  // The clock was wrong then; the blocks in the journal tell.
  if (rolled > now) rolled = 0;
  const auto layouts = integers(database, "SELECT DISTINCT layout FROM journal WHERE tier=0");
  if (!layouts) return fail(layouts.error());
  std::uint64_t made = 0;
  auto transaction = sqlite::Transaction::begin(database);
  if (!transaction) return fail(transaction.error());
  auto insert =
      database.prepare("INSERT INTO journal(tier, layout, at, till, blob) VALUES(1,?,?,?,?)");
  if (!insert) return fail(insert.error());
  for (const auto layout : *layouts) {
    const auto blocks = made_up(database, layout, rolled, now);
    if (!blocks) return fail(blocks.error());
    for (const auto& block : *blocks) {
      insert->bind(0, layout).bind(1, block.start).bind(2, block.till).bind(3, Bytes(block.bytes));
      if (auto done = insert->run(); !done) return fail(done.error());
      made += block.rows;
    }
  }
  if (made == 0) return made;
  if (auto done = transaction->commit(); !done) return fail(done.error());
  return made;
}

Result<std::map<std::size_t, Level>> newest_values(sqlite::Database& database, std::int64_t layout,
                                                   const std::vector<std::int64_t>& series) {
  std::map<std::size_t, Level> found;
  auto journal = database.prepare(
      "SELECT at, till, blob FROM journal WHERE tier=1 AND layout=? ORDER BY id DESC LIMIT 5");
  if (!journal) return fail(journal.error());
  journal->bind(0, layout);
  for (;;) {
    const auto row = journal->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    const auto till = journal->integer(1);
    (void)decode_rollup_block(journal->blob(2), journal->integer(0),
                              [&](std::size_t member, const Rollup& rollup) {
                                if (rollup.has_value())
                                  found.try_emplace(member, Level{till, rollup.last});
                              });
  }
  auto chunk = database.prepare(
      "SELECT start, blob FROM chunk WHERE tier=1 AND series=? ORDER BY start DESC LIMIT 1");
  if (!chunk) return fail(chunk.error());
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (found.contains(i)) continue;
    chunk->reset();
    chunk->bind(0, series[i]);
    const auto row = chunk->step();
    if (!row) return fail(row.error());
    if (!*row) continue;
    (void)decode_rollups(Tier::minute, chunk->integer(0), chunk->blob(1),
                         [&](const Rollup& rollup) {
                           if (rollup.has_value()) found[i] = {rollup.start + kMinute, rollup.last};
                         });
  }
  return found;
}

}  // namespace lightship::history
