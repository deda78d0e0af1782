// Finds the series, chooses the rows, prints them.
#include "cli/query.h"

#include <algorithm>

#include "app/app.h"
#include "base/text.h"
#include "cli/query_print.h"
#include "config/scalar.h"
#include "config/time_text.h"
#include "store/history/reader.h"

namespace lightship::cli {

using history::History;
using history::Millis;
using history::Series;

namespace {

int refuse(int status, const std::string& text) {
  std::fflush(stdout);
  fmt::print(stderr, "lightship query: {}\n", text);
  return status;
}

// A few names that are like what was asked for: the nearest first, then those that contain its end.
std::string closest(const std::string& asked, std::vector<std::string> names) {
  if (names.empty()) return "nothing was recorded yet";
  std::ranges::stable_sort(names, {}, [&](const std::string& name) {
    return edit_distance(to_lower(asked), to_lower(name));
  });
  names.resize(std::min<std::size_t>(names.size(), 5));
  return "the closest are " + join(names, ", ");
}

struct Range {
  Millis from = 0, to = 0, step = 0;
};

Result<Range> range_of(const QueryOptions& options) {
  const auto now = SystemClock().now();
  const auto time = [&](const char* name, const std::string& text) -> Result<Time> {
    const auto parsed = config::parse_time(text, now);
    if (parsed) return *parsed;
    return fail(Errc::invalid,
                "{} '{}' is not a time such as 2026-01-04T12:00:00Z, 2026-01-04, -2h or now", name,
                text);
  };
  const auto to = time("--to", options.to.empty() ? "now" : options.to);
  if (!to) return fail(to.error());
  const auto from = options.from.empty() ? Result<Time>(*to - std::chrono::hours(1))
                                         : time("--from", options.from);
  if (!from) return fail(from.error());
  if (*from >= *to) {
    return fail(Errc::invalid, "--from {} is not before --to {}", to_rfc3339(*from),
                to_rfc3339(*to));
  }
  Range range{history::to_millis(*from), history::to_millis(*to), 0};
  if (options.step.empty() || options.step == "raw") return range;
  const auto step = config::parse_duration(options.step);
  if (!step || *step < 1'000'000 || *step % 1000 != 0) {
    return fail(Errc::invalid, "--step '{}' is not a time of a second or more, such as 15m or 1h",
                options.step);
  }
  range.step = *step / 1000;
  return range;
}

// Without a step: the finest that gives a page of rows.
Millis step_for(const Series& series, const Range& range, const QueryOptions& options) {
  if (series.kind == history::Kind::text || options.step == "raw") return 0;
  if (range.step > 0) return range.step;
  return window_of(history::tier_for_range(range.from, range.to));
}

Result<bool> holds_any(History& history, const Series& series, Millis step, const Range& range) {
  bool any = false;
  const auto first = [&any](const auto&) {
    any = true;
    return false;
  };
  auto done = step == 0 ? history.samples(series.id, range.from, range.to, first)
                        : history.steps(series.id, step, range.from, range.to, first);
  if (!done) return fail(done.error());
  return any;
}

// What was asked for, or where nothing of that is kept any more the finest that is.
Result<Millis> step_that_is_kept(History& history, const Series& series, const Range& range,
                                 const QueryOptions& options) {
  const auto wanted = step_for(series, range, options);
  if (series.kind == history::Kind::text) return wanted;
  auto any = holds_any(history, series, wanted, range);
  if (!any) return fail(any.error());
  if (*any) return wanted;
  for (const auto tier : {history::Tier::minute, history::Tier::hour, history::Tier::day}) {
    const auto step = window_of(tier);
    if (step <= wanted) continue;
    any = holds_any(history, series, step, range);
    if (!any) return fail(any.error());
    if (!*any) continue;
    fmt::print(stderr, "lightship query: {}: of this time only roll-ups of {} are kept\n",
               series.name, to_string(tier));
    return step;
  }
  return wanted;
}

Result<void> print(History& history, const Series& series, const Range& range, Millis step,
                   QueryPrinter& printer) {
  printer.begin({series, step, range.from, range.to});
  const auto put = [&](const auto& row) {
    printer.row(row);
    return std::ferror(stdout) == 0;
  };
  auto done = step == 0 ? history.samples(series.id, range.from, range.to, put)
                        : history.steps(series.id, step, range.from, range.to, put);
  if (!done) return done;
  auto events = history.events(series.id, range.from, range.to);
  if (!events) return fail(events.error());
  printer.end(*events);
  return {};
}

}  // namespace

int query(const QueryOptions& options) {
  if (options.packets) {
    return refuse(app::kUnavailable,
                  "no packets are recorded: this version keeps the values of points, not packets");
  }
  const auto range = range_of(options);
  if (!range) return refuse(app::kUsage, range.error().text);
  auto history = History::open(options.data_dir / history::kFileName);
  if (!history) return refuse(app::kUnavailable, history.error().text);
  auto found = history->find(options.point);
  if (!found) return refuse(app::kUnavailable, found.error().text);
  if (found->empty()) {
    auto names = history->names();
    if (!names) return refuse(app::kUnavailable, names.error().text);
    return refuse(app::kUsage, fmt::format("there is no point '{}'; {}", options.point,
                                           closest(options.point, std::move(*names))));
  }
  // What the point was before its unit changed, as far as it is of this time.
  if (found->size() == 1) {
    auto former = history->former(found->front().name);
    if (!former) return refuse(app::kUnavailable, former.error().text);
    for (auto& series : *former) {
      const auto any = holds_any(*history, series, step_for(series, *range, options), *range);
      if (!any) return refuse(app::kUnavailable, any.error().text);
      if (*any) found->push_back(std::move(series));
    }
  }
  std::vector<Millis> steps;
  for (const auto& series : *found) {
    const auto step = step_that_is_kept(*history, series, *range, options);
    if (!step) return refuse(app::kUnavailable, step.error().text);
    steps.push_back(*step);
  }
  const auto printer = make_printer(options.format, found->size() > 1);
  // A CSV file has one kind of rows, that of most series; a text has no roll-ups.
  bool mixed = false;
  if (options.format == "csv") {
    const auto raw = std::ranges::count(steps, 0);
    mixed = 2 * raw <= std::ssize(steps);
    for (std::size_t i = 0; i < steps.size() && !mixed; ++i) steps[i] = 0;
    for (std::size_t i = 0; i < steps.size() && mixed; ++i) {
      if ((*found)[i].kind != history::Kind::text && steps[i] == 0)
        steps[i] = window_of(history::Tier::minute);
    }
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto& series = (*found)[i];
    if (mixed && steps[i] == 0) {
      fmt::print(stderr, "lightship query: {} has no roll-ups of this time: left out\n",
                 series.name);
      continue;
    }
    if (auto done = print(*history, series, *range, steps[i], *printer); !done)
      return refuse(app::kUnavailable, done.error().text);
  }
  printer->finish();
  if (history->damaged() > 0) {
    return refuse(app::kFine, fmt::format("{} of the blocks could not be read and were passed over",
                                          history->damaged()));
  }
  return app::kFine;
}

}  // namespace lightship::cli
