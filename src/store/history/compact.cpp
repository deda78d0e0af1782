// Journal to chunks, minutes to hours and days.
#include "store/history/compact.h"

#include <algorithm>

#include "store/history/column.h"
#include "store/history/rollup_code.h"

namespace lightship::history {
namespace {

constexpr std::size_t kMostRows = 16384;      // of a chunk of raw values
constexpr std::size_t kMostRollups = 40'000;  // in memory at a time
constexpr std::int64_t kSmallChunk = 64;      // roll-ups; smaller ones grow by what follows
constexpr std::size_t kDeletedAtOnce = 5000;

struct Place {
  std::int64_t layout, tier, id;
  friend auto operator<=>(const Place&, const Place&) = default;
};

class Compaction {
 public:
  Compaction(sqlite::Database& database, const std::atomic<bool>* stop)
      : database_(database), stop_(stop) {}

  Result<Compacted> run(Millis before);

 private:
  Result<void> prepare();
  Result<std::vector<Place>> places(std::int64_t cut);
  Result<std::vector<std::int64_t>> members(std::int64_t layout);
  // Calls with the base and the bytes of each block.
  template <class F>
  Result<void> blocks(std::span<const Place> places, F each);
  Result<void> raw(std::span<const Place> places, const std::vector<std::int64_t>& series);
  Result<void> put_raw(std::int64_t layout, const std::vector<Millis>& times,
                       std::vector<ColumnWriter>& columns, const std::vector<std::int64_t>& series);
  Result<void> minutes(std::span<const Place> places, const std::vector<std::int64_t>& series);
  Result<void> put_rollups(Tier tier, std::int64_t series, std::vector<Rollup> rows);
  Result<void> put(Tier tier, std::int64_t series, Millis start, std::int64_t layout, Millis end,
                   std::size_t rows, Bytes blob);

  sqlite::Database& database_;
  const std::atomic<bool>* stop_;
  sqlite::Statement block_, put_, newest_, same_, there_, remove_;
  Compacted told_;
};

Result<void> Compaction::prepare() {
  const auto make = [&](sqlite::Statement& into, std::string_view sql) -> Result<void> {
    auto made = database_.prepare(sql);
    if (!made) return fail(made.error());
    into = std::move(*made);
    return {};
  };
  if (auto r = make(block_, "SELECT at, blob FROM journal WHERE id=?"); !r) return r;
  if (auto r = make(put_,
                    "INSERT OR REPLACE INTO chunk(tier, series, start, layout, end, rows, "
                    "blob) VALUES(?,?,?,?,?,?,?)");
      !r)
    return r;
  if (auto r = make(newest_,
                    "SELECT start, end, rows, blob FROM chunk WHERE tier=? AND series=? "
                    "ORDER BY start DESC LIMIT 1");
      !r)
    return r;
  if (auto r = make(same_,
                    "SELECT start, end, rows, blob FROM chunk WHERE tier=? AND series=? AND "
                    "start=? AND layout=0");
      !r)
    return r;
  if (auto r = make(remove_, "DELETE FROM chunk WHERE tier=? AND series=? AND start=?"); !r)
    return r;
  return make(there_, "SELECT 1 FROM chunk WHERE tier=? AND series=? AND start=? AND layout=?");
}

Result<std::vector<Place>> Compaction::places(std::int64_t cut) {
  auto select = database_.prepare("SELECT layout, tier, id FROM journal WHERE id<=?");
  if (!select) return fail(select.error());
  select->bind(0, cut);
  std::vector<Place> found;
  for (;;) {
    const auto row = select->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    found.push_back({select->integer(0), select->integer(1), select->integer(2)});
  }
  std::ranges::sort(found);
  return found;
}

Result<std::vector<std::int64_t>> Compaction::members(std::int64_t layout) {
  auto select = database_.prepare("SELECT members FROM layout WHERE id=?");
  if (!select) return fail(select.error());
  select->bind(0, layout);
  const auto row = select->step();
  if (!row) return fail(row.error());
  return *row ? decode_members(select->blob(0)) : std::vector<std::int64_t>{};
}

template <class F>
Result<void> Compaction::blocks(std::span<const Place> places, F each) {
  for (const auto& place : places) {
    if (stop_ != nullptr && *stop_) return fail(Errc::cancelled, "told to stop");
    block_.reset();
    block_.bind(0, place.id);
    const auto row = block_.step();
    if (!row) return fail(row.error());
    if (!*row) continue;
    if (auto done = each(block_.integer(0), block_.blob(1)); !done) return done;
  }
  block_.reset();
  return {};
}

Result<Compacted> Compaction::run(Millis before) {
  if (auto done = prepare(); !done) return fail(done.error());
  auto select = database_.prepare("SELECT max(id) FROM journal WHERE till<?");
  if (!select) return fail(select.error());
  select->bind(0, before);
  if (const auto row = select->step(); !row) return fail(row.error());
  const auto cut = select->integer(0);
  select->reset();
  if (cut == 0) return told_;
  auto all = places(cut);
  if (!all) return fail(all.error());
  for (auto at = all->begin(); at != all->end();) {
    const auto end = std::find_if(at, all->end(), [&](const Place& p) {
      return p.layout != at->layout || p.tier != at->tier;
    });
    const std::span<const Place> part(at, end);
    const auto series = members(at->layout);
    if (!series) return fail(series.error());
    auto done = at->tier == 0 ? raw(part, *series) : minutes(part, *series);
    if (!done) return fail(done.error());
    told_.blocks += part.size();
    at = end;
  }
  // A kill makes up roll-ups from raw values that come after this.
  auto till = database_.prepare("SELECT max(till) FROM journal WHERE tier=1 AND id<=?");
  if (!till) return fail(till.error());
  till->bind(0, cut);
  if (const auto row = till->step(); !row) return fail(row.error());
  // Not what a clock that was wrong for a while has left.
  const auto newest =
      std::min(before, std::max(till->integer(0), meta(database_, "rolled_up_till", 0)));
  till->reset();
  if (auto done = set_meta(database_, "rolled_up_till", newest); !done) return fail(done.error());
  auto remove = database_.prepare("DELETE FROM journal WHERE id<=?");
  if (!remove) return fail(remove.error());
  if (auto done = remove->bind(0, cut).run(); !done) return fail(done.error());
  return told_;
}

Result<void> Compaction::raw(std::span<const Place> places,
                             const std::vector<std::int64_t>& series) {
  std::vector<Millis> times;
  std::vector<ColumnWriter> columns(series.size());
  auto done = blocks(places, [&](Millis base, Bytes bytes) -> Result<void> {
    const auto first = times.size();
    const auto decoded = decode_raw_block(
        bytes, base, [&](std::size_t row, Millis at, std::size_t member, const Cell& cell) {
          while (times.size() <= first + row) times.push_back(at);
          if (member >= columns.size()) return;
          columns[member].add(first + row, cell);
          ++told_.values;
        });
    if (!decoded) ++told_.damaged;
    if (times.size() < kMostRows) return {};
    auto put = put_raw(places.front().layout, times, columns, series);
    times.clear();
    return put;
  });
  if (!done) return done;
  return put_raw(places.front().layout, times, columns, series);
}

Result<void> Compaction::put_raw(std::int64_t layout, const std::vector<Millis>& times,
                                 std::vector<ColumnWriter>& columns,
                                 const std::vector<std::int64_t>& series) {
  if (times.empty()) return {};
  const auto [least, greatest] = std::ranges::minmax(times);
  // A clock that was set back may bring the same start again.
  auto start = least;
  for (;;) {
    there_.reset();
    there_.bind(0, std::int64_t{0}).bind(1, -layout).bind(2, start).bind(3, layout);
    const auto row = there_.step();
    if (!row) return fail(row.error());
    if (!*row) break;
    --start;
  }
  there_.reset();
  TimeWriter writer(start);
  for (const auto at : times) writer.add(at);
  const auto bytes = writer.take();
  if (auto r = put(Tier::raw, -layout, start, layout, greatest, times.size(), bytes); !r) return r;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool any = columns[i].values() > 0;
    const auto column = columns[i].take(times.size());
    if (!any) continue;
    if (auto r = put(Tier::raw, series[i], start, layout, greatest, times.size(), column); !r)
      return r;
  }
  return {};
}

Result<void> Compaction::minutes(std::span<const Place> places,
                                 const std::vector<std::int64_t>& series) {
  const auto slice = std::max<std::size_t>(1, kMostRollups / places.size());
  for (std::size_t from = 0; from < series.size(); from += slice) {
    const auto to = std::min(series.size(), from + slice);
    std::vector<std::vector<Rollup>> rows(to - from);
    auto done = blocks(places, [&](Millis start, Bytes bytes) -> Result<void> {
      const auto decoded =
          decode_rollup_block(bytes, start, [&](std::size_t member, const Rollup& rollup) {
            if (member >= from && member < to) rows[member - from].push_back(rollup);
          });
      if (!decoded && from == 0) ++told_.damaged;
      return {};
    });
    if (!done) return done;
    for (std::size_t i = from; i < to; ++i) {
      auto& minute = rows[i - from];
      for (const auto tier : {Tier::minute, Tier::hour, Tier::day}) {
        if (minute.empty()) break;
        for (auto& rollup : minute) rollup.start = floor_to(rollup.start, window_of(tier));
        std::ranges::stable_sort(minute, {}, &Rollup::start);
        // Parts of one window become one.
        std::size_t kept = 0;
        for (std::size_t k = 1; k < minute.size(); ++k) {
          if (minute[k].start == minute[kept].start)
            combine(minute[kept], minute[k]);
          else
            minute[++kept] = minute[k];
        }
        minute.resize(kept + 1);
        if (auto r = put_rollups(tier, series[i], minute); !r) return r;
      }
    }
  }
  return {};
}

Result<void> Compaction::put_rollups(Tier tier, std::int64_t series, std::vector<Rollup> rows) {
  const auto number = static_cast<std::int64_t>(tier);
  // The rows of a chunk and these become one, and the chunk goes.
  const auto absorb = [&](sqlite::Statement& chunk) -> Result<void> {
    const auto start = chunk.integer(0);
    std::vector<Rollup> all;
    const auto decoded = decode_rollups(tier, start, chunk.blob(3),
                                        [&](const Rollup& rollup) { all.push_back(rollup); });
    if (!decoded) ++told_.damaged;
    for (const auto& rollup : rows) {
      const auto at = std::ranges::lower_bound(all, rollup.start, {}, &Rollup::start);
      if (at != all.end() && at->start == rollup.start)
        combine(*at, rollup);
      else
        all.insert(at, rollup);
    }
    rows = std::move(all);
    chunk.reset();
    return remove_.bind(0, number).bind(1, series).bind(2, start).run();
  };
  newest_.reset();
  newest_.bind(0, number).bind(1, series);
  const auto row = newest_.step();
  if (!row) return fail(row.error());
  if (*row) {
    const auto end = newest_.integer(1), count = newest_.integer(2);
    const auto fresh = static_cast<std::int64_t>(rows.size());
    // A small one grows; one of the same window, or of a time before which the clock was set back,
    // takes the rest in.
    const bool small = count + fresh <= kSmallChunk || count <= fresh;
    if (small || end >= rows.front().start) {
      if (auto done = absorb(newest_); !done) return done;
    }
  }
  newest_.reset();
  same_.reset();
  same_.bind(0, number).bind(1, series).bind(2, rows.front().start);
  const auto taken = same_.step();
  if (!taken) return fail(taken.error());
  if (*taken) {
    if (auto done = absorb(same_); !done) return done;
  }
  same_.reset();
  const auto bytes = encode_rollups(tier, rows);
  return put(tier, series, rows.front().start, 0, rows.back().start, rows.size(), bytes);
}

Result<void> Compaction::put(Tier tier, std::int64_t series, Millis start, std::int64_t layout,
                             Millis end, std::size_t rows, Bytes blob) {
  put_.bind(0, static_cast<std::int64_t>(tier)).bind(1, series).bind(2, start).bind(3, layout);
  put_.bind(4, end).bind(5, static_cast<std::int64_t>(rows)).bind(6, blob);
  return put_.run();
}

}  // namespace

Result<Compacted> compact(sqlite::Database& database, Millis before,
                          const std::atomic<bool>* stop) {
  auto transaction = sqlite::Transaction::begin(database);
  if (!transaction) return fail(transaction.error());
  Result<Compacted> done = Compacted{};
  {
    Compaction compaction(database, stop);  // its statements end before the transaction does
    done = compaction.run(before);
  }
  if (!done) return done;
  if (auto committed = transaction->commit(); !committed) return fail(committed.error());
  return done;
}

Result<std::uint64_t> expire(sqlite::Database& database, const Retention& retention, Millis now) {
  std::uint64_t gone = 0;
  const auto remove = [&](Tier tier, Millis before) -> Result<std::uint64_t> {
    // In slices, so that a commit never waits long.
    auto statement = database.prepare(
        "DELETE FROM chunk WHERE (tier, series, start, layout) IN (SELECT tier, series, start, "
        "layout FROM chunk WHERE tier=? AND end<? LIMIT ?)");
    if (!statement) return fail(statement.error());
    std::uint64_t sum = 0;
    for (;;) {
      statement->bind(0, static_cast<std::int64_t>(tier)).bind(1, before);
      statement->bind(2, static_cast<std::int64_t>(kDeletedAtOnce));
      if (auto done = statement->run(); !done) return fail(done.error());
      const auto rows = static_cast<std::uint64_t>(database.changes());
      sum += rows;
      if (rows < kDeletedAtOnce) return sum;
    }
  };
  const Millis kept[] = {retention.raw, retention.minute, retention.hour, retention.day};
  for (const auto tier : kTiers) {
    const auto done = remove(tier, now - kept[static_cast<std::size_t>(tier)]);
    if (!done) return done;
    gone += *done;
  }
  const auto used = [&] {
    const auto number = [&](std::string_view sql) { return database.integer(sql).value_or(0); };
    return static_cast<std::uint64_t>(
        (number("PRAGMA page_count") - number("PRAGMA freelist_count")) *
        number("PRAGMA page_size"));
  };
  for (const auto tier : kTiers) {
    while (retention.max_size > 0 && used() > retention.max_size) {
      auto oldest = database.prepare("SELECT min(end) FROM chunk WHERE tier=?");
      if (!oldest) return fail(oldest.error());
      oldest->bind(0, static_cast<std::int64_t>(tier));
      const auto row = oldest->step();
      if (!row) return fail(row.error());
      if (!*row || oldest->is_null(0)) break;
      const auto end = oldest->integer(0);
      oldest->reset();
      const auto done = remove(tier, end + window_of(Tier::day) / 4);
      if (!done) return done;
      gone += *done;
      if (*done == 0) break;
    }
  }
  return gone;
}

}  // namespace lightship::history
