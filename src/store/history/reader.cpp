// Reads chunks and the journal as one.
#include "store/history/reader.h"

#include <algorithm>

#include "store/history/column.h"
#include "store/history/rollup_code.h"
#include "store/history/window.h"

namespace lightship::history {
namespace {

Millis when(const Sample& sample) { return sample.at; }
Millis when(const Rollup& rollup) { return rollup.start; }

// Runs of rows, each begun no earlier than the one before: those that no later run can precede are
// given out. Runs overlap only where the clock was set back or a window has several parts.
template <class Row, class Each>
class Merge {
 public:
  Merge(Millis from, Millis to, const Each& each) : from_(from), to_(to), each_(each) {}

  void add(std::vector<Row> rows) {
    std::ranges::stable_sort(rows, {}, [](const Row& row) { return when(row); });
    const auto middle = static_cast<std::ptrdiff_t>(waiting_.size());
    std::ranges::move(rows, std::back_inserter(waiting_));
    std::inplace_merge(waiting_.begin(), waiting_.begin() + middle, waiting_.end(),
                       [](const Row& a, const Row& b) { return when(a) < when(b); });
  }

  // False: whoever reads has had enough.
  bool give_before(Millis limit) {
    auto end = waiting_.begin();
    for (; end != waiting_.end() && when(*end) < limit; ++end) {
      if (when(*end) < from_ || when(*end) >= to_ || !going_) continue;
      going_ = give(*end);
    }
    waiting_.erase(waiting_.begin(), end);
    return going_;
  }
  bool finish() {
    give_before(INT64_MAX);
    if constexpr (std::is_same_v<Row, Rollup>) {
      if (open_ && going_) going_ = each_(*open_);
      open_.reset();
    }
    return going_;
  }

 private:
  bool give(const Row& row) {
    if constexpr (std::is_same_v<Row, Rollup>) {
      if (open_ && open_->start == row.start) {
        combine(*open_, row);
        return true;
      }
      const bool go_on = !open_ || each_(*open_);
      open_ = row;
      return go_on;
    } else {
      return each_(row);
    }
  }

  Millis from_, to_;
  const Each& each_;
  std::vector<Row> waiting_;
  std::optional<Row> open_;
  bool going_ = true;
};

class Snapshot {
 public:
  explicit Snapshot(sqlite::Database& database) : database_(database) {
    (void)database_.execute("BEGIN");
  }
  ~Snapshot() { (void)database_.execute("COMMIT"); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  sqlite::Database& database_;
};

Rollup at_start(Rollup rollup, Millis start) {
  rollup.start = start;
  return rollup;
}

}  // namespace

Tier tier_for_range(Millis from, Millis to) {
  const auto range = to - from;
  if (range <= window_of(Tier::hour)) return Tier::raw;
  if (range <= window_of(Tier::day)) return Tier::minute;
  return range <= 60 * window_of(Tier::day) ? Tier::hour : Tier::day;
}

Tier tier_for_step(Millis step) {
  for (const auto tier : {Tier::day, Tier::hour, Tier::minute}) {
    if (step % window_of(tier) == 0) return tier;
  }
  return Tier::raw;
}

Result<History> History::open(const std::filesystem::path& file) {
  auto database = open_for_reading(file);
  if (!database) return fail(database.error());
  return History(std::move(*database));
}

Result<void> History::load_layouts() {
  auto select = database_.prepare("SELECT id, members FROM layout");
  if (!select) return fail(select.error());
  layouts_.clear();
  for (;;) {
    const auto row = select->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    layouts_[select->integer(0)] = decode_members(select->blob(1));
  }
}

std::vector<std::pair<std::int64_t, std::size_t>> History::places(std::int64_t series) const {
  std::vector<std::pair<std::int64_t, std::size_t>> found;
  for (const auto& [layout, members] : layouts_) {
    const auto at = std::ranges::find(members, series);
    if (at != members.end()) found.emplace_back(layout, at - members.begin());
  }
  return found;
}

Result<std::vector<Series>> History::find(std::string_view pattern) {
  const bool glob = pattern.find_first_of("*?[") != std::string_view::npos;
  auto select = database_.prepare(
      glob ? "SELECT id, name, unit, kind FROM series WHERE name GLOB ?1 ORDER BY name"
           : "SELECT id, name, unit, kind FROM series WHERE name=?1");
  if (!select) return fail(select.error());
  select->bind(0, pattern);
  std::vector<Series> found;
  for (;;) {
    const auto row = select->step();
    if (!row) return fail(row.error());
    if (!*row) return found;
    Series series;
    series.id = select->integer(0);
    series.name = select->text(1);
    series.unit = select->text(2);
    series.kind = static_cast<Kind>(std::clamp<std::int64_t>(select->integer(3), 0, 3));
    found.push_back(std::move(series));
  }
}

Result<std::vector<Series>> History::former(std::string_view name) {
  // Not as a pattern: a name may hold what means something in one.
  auto all = find("*" + std::string(1, kFormer) + "*");
  if (!all) return fail(all.error());
  const auto start = std::string(name) + kFormer;
  std::erase_if(*all, [&](const Series& series) { return !series.name.starts_with(start); });
  return all;
}

Result<std::vector<std::string>> History::names() {
  auto all = find("*");
  if (!all) return fail(all.error());
  std::vector<std::string> names;
  for (auto& series : *all) names.push_back(std::move(series.name));
  return names;
}

Result<std::vector<Sample>> History::journal_samples(std::int64_t series, Millis from, Millis to) {
  std::vector<Sample> found;
  auto select = database_.prepare(
      "SELECT at, blob FROM journal WHERE tier=0 AND layout=? AND till>=? AND at<?");
  if (!select) return fail(select.error());
  for (const auto& [layout, slot] : places(series)) {
    const auto place = slot;
    select->bind(0, layout).bind(1, from).bind(2, to);
    for (;;) {
      const auto row = select->step();
      if (!row) return fail(row.error());
      if (!*row) break;
      const auto decoded =
          decode_raw_block(select->blob(1), select->integer(0),
                           [&](std::size_t, Millis at, std::size_t member, const Cell& cell) {
                             if (member == place) found.push_back(sample_of(at, cell));
                           });
      if (!decoded) ++damaged_;
    }
    select->reset();
  }
  return found;
}

Result<std::vector<Rollup>> History::journal_rollups(std::int64_t series, Tier tier, Millis from,
                                                     Millis to) {
  std::vector<Rollup> found;
  auto select = database_.prepare(
      "SELECT at, blob FROM journal WHERE tier=1 AND layout=? AND at>=? AND at<?");
  if (!select) return fail(select.error());
  for (const auto& [layout, slot] : places(series)) {
    const auto place = slot;
    select->bind(0, layout).bind(1, from).bind(2, to);
    for (;;) {
      const auto row = select->step();
      if (!row) return fail(row.error());
      if (!*row) break;
      const auto decoded = decode_rollup_block(
          select->blob(1), select->integer(0), [&](std::size_t member, const Rollup& rollup) {
            if (member != place) return;
            found.push_back(at_start(rollup, floor_to(rollup.start, window_of(tier))));
          });
      if (!decoded) ++damaged_;
    }
    select->reset();
  }
  return found;
}

Result<void> History::samples(std::int64_t series, Millis from, Millis to, const OnSample& each) {
  const Snapshot snapshot(database_);
  if (auto done = load_layouts(); !done) return done;
  auto journal = journal_samples(series, from, to);
  if (!journal) return fail(journal.error());
  Merge<Sample, OnSample> merge(from, to, each);
  merge.add(std::move(*journal));
  auto chunks = database_.prepare(
      "SELECT start, layout, rows, blob FROM chunk WHERE tier=0 AND series=? AND start<? AND "
      "end>=? ORDER BY start");
  auto times = database_.prepare(
      "SELECT blob FROM chunk WHERE tier=0 AND series=? AND start=? AND layout=?");
  if (!chunks) return fail(chunks.error());
  if (!times) return fail(times.error());
  chunks->bind(0, series).bind(1, to).bind(2, from);
  for (;;) {
    const auto row = chunks->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    const auto start = chunks->integer(0), layout = chunks->integer(1);
    if (!merge.give_before(start)) return {};
    times->reset();
    times->bind(0, -layout).bind(1, start).bind(2, layout);
    const auto has_times = times->step();
    if (!has_times) return fail(has_times.error());
    const auto rows = static_cast<std::size_t>(std::max<std::int64_t>(chunks->integer(2), 0));
    const auto decoded =
        *has_times ? decode_times(start, rows, times->blob(0)) : fail(Errc::malformed, "no times");
    if (!decoded) {
      ++damaged_;
      continue;
    }
    ColumnReader column(chunks->blob(3));
    std::vector<Sample> run;
    Cell cell;
    for (const auto at : *decoded) {
      if (!column.next(cell)) break;
      if (cell.format != Format::absent && at >= from && at < to)
        run.push_back(sample_of(at, cell));
    }
    if (column.malformed()) ++damaged_;
    merge.add(std::move(run));
  }
  merge.finish();
  return {};
}

Result<void> History::rollups(std::int64_t series, Tier tier, Millis from, Millis to,
                              const OnRollup& each) {
  const Snapshot snapshot(database_);
  if (auto done = load_layouts(); !done) return done;
  auto journal = journal_rollups(series, tier, floor_to(from, window_of(tier)),
                                 floor_to(to - 1, window_of(tier)) + window_of(tier));
  if (!journal) return fail(journal.error());
  auto chunks = database_.prepare(
      "SELECT start, blob FROM chunk WHERE tier=? AND series=? AND start<? AND end>=? ORDER BY "
      "start");
  if (!chunks) return fail(chunks.error());
  chunks->bind(0, static_cast<std::int64_t>(tier)).bind(1, series).bind(2, to).bind(3, from);
  Merge<Rollup, OnRollup> merge(from, to, each);
  // What is in the journal came after what is in chunks: of one window it is the later part.
  const auto first =
      journal->empty() ? INT64_MAX : std::ranges::min(*journal, {}, &Rollup::start).start;
  for (;;) {
    const auto row = chunks->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    const auto start = chunks->integer(0);
    if (!merge.give_before(std::min(start, first))) return {};
    std::vector<Rollup> run;
    const auto decoded = decode_rollups(tier, start, chunks->blob(1), [&](const Rollup& rollup) {
      if (rollup.start >= from && rollup.start < to) run.push_back(rollup);
    });
    if (!decoded) ++damaged_;
    merge.add(std::move(run));
  }
  merge.add(std::move(*journal));
  merge.finish();
  return {};
}

Result<void> History::steps(std::int64_t series, Millis step, Millis from, Millis to,
                            const OnRollup& each) {
  if (step <= 0) return fail(Errc::invalid, "a step of {} ms", step);
  const auto tier = tier_for_step(step);
  from = floor_to(from, step);
  if (tier == Tier::raw) return raw_steps(series, step, from, to, each);
  std::optional<Rollup> open;
  bool going = true;
  auto done = rollups(series, tier, from, to, [&](const Rollup& rollup) {
    const auto start = floor_to(rollup.start, step);
    if (open && open->start == start) {
      combine(*open, rollup);
      return true;
    }
    if (open) going = each(*open);
    open = at_start(rollup, start);
    return going;
  });
  if (done && open && going) each(*open);
  return done;
}

Result<void> History::raw_steps(std::int64_t series, Millis step, Millis from, Millis to,
                                const OnRollup& each) {
  // How long a value held is not known any more: three times the distance of the two before.
  Duration hold = std::chrono::seconds(30);
  Window window;
  Time open{}, before{};
  bool any = false, going = true;
  const auto close = [&](Time end) {
    Rollup rollup;
    if (window.close(open, end, hold, rollup)) {
      rollup.start = to_millis(open);
      going = each(rollup);
    }
  };
  auto done = samples(series, from, to, [&](const Sample& sample) {
    const auto at = from_millis(sample.at);
    if (any) {
      const auto wait = at - before;
      while (going && at >= open + std::chrono::milliseconds(step) && open <= before + hold) {
        close(open + std::chrono::milliseconds(step));
        open += std::chrono::milliseconds(step);
      }
      hold = std::clamp<Duration>(3 * wait, std::chrono::seconds(1), std::chrono::minutes(15));
    }
    if (!any || at >= open + std::chrono::milliseconds(step))
      open = from_millis(floor_to(sample.at, step));
    any = true;
    before = at;
    const double number = as_double(sample.value);
    if (sample.reason != Reason::none)
      window.bad(at, sample.reason, sample.code, hold);
    else if (!std::holds_alternative<std::string>(sample.value))
      window.good(at, number, format_of(sample.value), open, hold);
    return going;
  });
  if (done && any && going)
    close(std::min(open + std::chrono::milliseconds(step), from_millis(to)));
  return done;
}

Result<std::vector<CounterEvent>> History::events(std::int64_t series, Millis from, Millis to) {
  auto select = database_.prepare(
      "SELECT at, what, before, after, increase FROM event WHERE series=? AND at>=? AND at<? ORDER "
      "BY at");
  if (!select) return fail(select.error());
  select->bind(0, series).bind(1, from).bind(2, to);
  std::vector<CounterEvent> found;
  for (;;) {
    const auto row = select->step();
    if (!row) return fail(row.error());
    if (!*row) return found;
    CounterEvent event;
    event.series = series;
    event.at = select->integer(0);
    event.what =
        static_cast<CounterEvent::What>(std::clamp<std::int64_t>(select->integer(1), 0, 3));
    event.before = select->real(2);
    event.after = select->real(3);
    event.increase = select->real(4);
    found.push_back(event);
  }
}

}  // namespace lightship::history
