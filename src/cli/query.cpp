// Finds the series, chooses the rows, prints them.
#include "cli/query.h"

#include <algorithm>

#include "app/app.h"
#include "base/text.h"
#include "cli/query_print.h"
#include "cli/query_time.h"
#include "config/scalar.h"
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
    const auto parsed = parse_time(text, now);
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

Result<void> print(History& history, const Series& series, const Range& range,
                   const QueryOptions& options, QueryPrinter& printer) {
  const auto step = step_for(series, range, options);
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
  const auto found = history->find(options.point);
  if (!found) return refuse(app::kUnavailable, found.error().text);
  if (found->empty()) {
    auto names = history->names();
    if (!names) return refuse(app::kUnavailable, names.error().text);
    return refuse(app::kUsage, fmt::format("there is no point '{}'; {}", options.point,
                                           closest(options.point, std::move(*names))));
  }
  const auto printer = make_printer(options.format, found->size() > 1);
  // A CSV file has one kind of rows: beside roll-ups there is no place for texts, which have none.
  const bool mixed = options.format == "csv" && std::ranges::any_of(*found, [&](const Series& s) {
                       return step_for(s, *range, options) > 0;
                     });
  for (const auto& series : *found) {
    if (mixed && series.kind == history::Kind::text) {
      fmt::print(stderr, "lightship query: {} is a text and has no roll-ups: left out\n",
                 series.name);
      continue;
    }
    if (auto done = print(*history, series, *range, options, *printer); !done)
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
