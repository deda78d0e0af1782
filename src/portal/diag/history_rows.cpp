// Reads rows.
#include "portal/diag/history_rows.h"

#include <algorithm>

#include "base/text.h"
#include "store/history/csv.h"

namespace lightship::portal {

using history::History;
using history::Millis;
using history::Rollup;
using history::Sample;

namespace {

// Rows of one piece of CSV, some 100 kB.
constexpr std::size_t kPiece = 1500;

template <class Each>
Result<void> read(History& history, const history::Series& series, Millis step, Millis from,
                  Millis to, const Each& each) {
  if (step == 0) return history.samples(series.id, from, to, each);
  return history.steps(series.id, step, from, to, each);
}

Result<bool> has_any(History& history, const HistoryAsked& asked, Millis step) {
  bool any = false;
  // A window that began before says nothing of this time alone.
  const auto look = [&](const auto& row) {
    if constexpr (requires { row.start; })
      any = row.start >= asked.from;
    else
      any = true;
    return !any;
  };
  const auto done = read(history, asked.series, step, asked.from, asked.to, look);
  if (!done) return fail(done.error());
  return any;
}

struct Take {
  HistoryRows& rows;
  std::size_t most;
  const std::atomic<bool>& stop;

  template <class Row>
  bool operator()(std::vector<Row>& into, const Row& row) const {
    if (stop) return false;
    if (into.size() == most) {
      rows.truncated = true;
      return false;
    }
    into.push_back(row);
    return true;
  }
};

}  // namespace

Result<Millis> choose_step(History& history, const HistoryAsked& asked) {
  if (asked.step) return *asked.step;
  if (asked.series.kind == history::Kind::text) return 0;
  const auto wanted = window_of(history::tier_for_range(asked.from, asked.to));
  for (const auto tier : history::kTiers) {
    const auto step = window_of(tier);
    if (step < wanted) continue;
    const auto any = has_any(history, asked, step);
    if (!any) return fail(any.error());
    if (*any) return step;
  }
  return wanted;
}

Result<HistoryRows> read_rows(History& history, const HistoryAsked& asked, std::size_t most,
                              const std::atomic<bool>& stop) {
  const auto chosen = choose_step(history, asked);
  if (!chosen) return fail(chosen.error());
  auto step = *chosen;
  for (;;) {
    HistoryRows rows;
    rows.step = step;
    const Take take{rows, most, stop};
    const auto done = step == 0
                          ? history.samples(asked.series.id, asked.from, asked.to,
                                            [&](const Sample& row) { return take(rows.raw, row); })
                          : history.steps(asked.series.id, step, asked.from, asked.to,
                                          [&](const Rollup& row) { return take(rows.steps, row); });
    if (!done) return fail(done.error());
    if (stop) return fail(Errc::cancelled, "the portal is ending");
    const bool free = !asked.step && asked.series.kind != history::Kind::text;
    if (!rows.truncated || !free || step >= window_of(history::Tier::day)) return rows;
    step = step == 0 ? window_of(history::Tier::minute)
                     : (step < window_of(history::Tier::hour) ? window_of(history::Tier::hour)
                                                              : window_of(history::Tier::day));
  }
}

Result<std::optional<std::string>> next_csv(History& history, const history::Series& series,
                                            Millis step, Millis& from, Millis to,
                                            const std::atomic<bool>& stop) {
  std::string text;
  std::size_t rows = 0;
  const auto go_on = [&] { return ++rows < kPiece && !stop; };
  const auto put_sample = [&](const Sample& row) {
    history::append_csv(text, series, row);
    from = row.at + 1;
    return go_on();
  };
  const auto put_step = [&](const Rollup& row) {
    history::append_csv(text, series, step, row);
    from = row.start + step;
    return go_on();
  };
  if (from >= to) return std::optional<std::string>();
  const auto done = step == 0 ? history.samples(series.id, from, to, put_sample)
                              : history.steps(series.id, step, from, to, put_step);
  if (!done) return fail(done.error());
  if (stop) return fail(Errc::cancelled, "the portal is ending");
  if (rows == 0) return std::optional<std::string>();
  if (rows < kPiece) from = to;
  return std::optional(std::move(text));
}

std::vector<std::string> nearest_names(std::string_view asked, std::vector<std::string> names) {
  const auto wanted = to_lower(asked);
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (auto& name : names) ranked.emplace_back(edit_distance(wanted, to_lower(name)), name);
  const auto most = std::min<std::size_t>(ranked.size(), 5);
  std::ranges::partial_sort(ranked, ranked.begin() + static_cast<std::ptrdiff_t>(most));
  std::vector<std::string> nearest;
  for (std::size_t i = 0; i < most; ++i) nearest.push_back(std::move(ranked[i].second));
  return nearest;
}

}  // namespace lightship::portal
