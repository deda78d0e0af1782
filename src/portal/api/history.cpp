// Reads the question, asks on its own thread, writes the answer.
#include "portal/api/history.h"

#include <malloc.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/worker.h"
#include "config/scalar.h"
#include "config/time_text.h"
#include "portal/api/query.h"
#include "portal/diag/history_rows.h"
#include "portal/turns.h"
#include "store/history/csv.h"

namespace lightship::portal {

using history::History;
using history::Millis;

namespace {

constexpr Duration kUsualRange = std::chrono::hours(1);

struct Asked {
  std::string point;
  Millis from = 0, to = 0;
  std::optional<Millis> step;
  bool csv = false;
};

std::optional<Time> time_of(Query& query, std::string_view name, Time now, Time otherwise) {
  const auto text = query.text(name, 64);
  if (text.empty()) return otherwise;
  const auto time = config::parse_time(text, now);
  if (!time)
    query.wrong(name, fmt::format("'{}' is not a time such as 2026-01-04T12:00:00Z, 2026-01-04, "
                                  "-12h or now",
                                  start_of(text, 40)));
  return time;
}

Asked read(Query& query, Time now) {
  Asked asked;
  asked.point = query.text("point", 300);
  if (asked.point.empty())
    query.wrong("point", "which point? Such as main-panel/meter-1/voltage_l1");
  const auto to = time_of(query, "to", now, now);
  const auto from = time_of(query, "from", now, to.value_or(now) - kUsualRange);
  if (from && to) {
    asked.from = history::to_millis(*from);
    asked.to = history::to_millis(*to);
    if (asked.from >= asked.to)
      query.wrong("from", fmt::format("{} is not before {}", to_rfc3339(*from), to_rfc3339(*to)));
  }
  constexpr std::int64_t kMostStep = 366 * 86'400;
  if (const auto step = query.text("step", 32); step == "raw") {
    asked.step = 0;
  } else if (!step.empty()) {
    const auto micros = config::parse_duration(step);
    if (micros && *micros >= 1'000'000 && *micros % 1'000'000 == 0 &&
        *micros / 1'000'000 <= kMostStep)
      asked.step = *micros / 1000;
    else
      query.wrong("step", fmt::format("'{}' is not a time of a second or more, such as 60 or 15m",
                                      start_of(step, 40)));
  }
  asked.csv = query.word("format", {"json", "csv"}) == "csv";
  return asked;
}

// A number for a chart; nothing where there is none.
void append_number(JsonWriter& json, const Value& value) {
  if (const auto* truth = std::get_if<bool>(&value))
    json.value(*truth ? 1 : 0);
  else if (!has_value(value) || std::holds_alternative<std::string>(value))
    json.null();
  else
    json.value(value);
}

// What the cache knows beside the history: it writes every few seconds.
struct Present {
  bool known = false;  // there is such a point
  std::string unit;
  Millis at = 0;  // 0: no good value
  Value value;
};
Present present_of(Context& context, const std::string& name) {
  const auto point = context.catalog.find_point(name);
  if (!point) return {};
  const auto& state = context.cache.point(*point);
  Present present{true, std::string(context.catalog.info(*point).unit), 0, {}};
  if (state.reason == Reason::none && state.arrived != MonoTime::min()) {
    present.at = history::to_millis(state.at);
    present.value = state.value;
  }
  return present;
}

std::string_view name_of(history::Tier tier) {
  switch (tier) {
    case history::Tier::minute:
      return "minute";
    case history::Tier::hour:
      return "hour";
    case history::Tier::day:
      return "day";
    default:
      return "raw";
  }
}

std::string as_json(const Asked& asked, const std::string& unit, const HistoryRows& rows,
                    const Present& present) {
  std::string out;
  JsonWriter json(out);
  const bool raw = rows.step == 0;
  json.begin_object().member("point", asked.point).member("unit", unit).key("step_s");
  if (raw)
    json.null();
  else
    json.value(rows.step / 1000);
  json.member("tier", name_of(raw ? history::Tier::raw : history::tier_for_step(rows.step)));
  json.member("from", to_rfc3339(history::from_millis(asked.from)));
  json.member("to", to_rfc3339(history::from_millis(asked.to)));
  json.key("columns").begin_array();
  if (raw) {
    for (const char* name : {"time_ms", "value"}) json.value(name);
  } else {
    for (const char* name : {"time_ms", "min", "avg", "max", "last", "count", "coverage"})
      json.value(name);
  }
  json.end_array().key("rows").begin_array();
  Millis newest = asked.from - 1;
  for (const auto& row : rows.raw) {
    json.begin_array().value(row.at);
    append_number(json, row.reason == Reason::none ? row.value : Value{});
    json.end_array();
    newest = row.at;
  }
  if (raw && !rows.truncated && present.at > newest && present.at < asked.to) {
    json.begin_array().value(present.at);
    append_number(json, present.value);
    json.end_array();
  }
  for (const auto& row : rows.steps) {
    json.begin_array().value(row.start);
    append_number(json, history::shown(row, row.min));
    append_number(json, history::shown_average(row));
    append_number(json, history::shown(row, row.max));
    append_number(json, history::shown(row, row.last));
    json.value(row.count).value(Real{history::coverage(row, rows.step), 1});
    json.end_array();
  }
  json.end_array().member("truncated", rows.truncated).end_object();
  return out;
}

}  // namespace

struct HistoryDesk::State {
  State(Clock& clock_, Field& field_, std::filesystem::path data_dir)
      : clock(clock_), field(field_), file(std::move(data_dir)) {
    if (!file.empty()) file /= history::kFileName;
  }

  Clock& clock;
  Field& field;
  std::filesystem::path file;  // empty: nothing is kept
  std::atomic<bool> stop{false};
  Turns turns{kAtOnce, kMostWaiting}, files{kMostFiles, 0};
  // A crowd leaves much memory behind that the system can have again.
  std::size_t asking = 0;
  bool crowded = false;
};

namespace {

// An answer that was found, or the status and the words of a problem.
struct Refusal {
  int status = 503;
  std::string text;
};
template <class T>
using Told = std::expected<T, Refusal>;

struct Opened {
  std::shared_ptr<History> history;
  history::Series series;
};

std::unexpected<Refusal> refused(Error error) {
  return std::unexpected(Refusal{503, "The history cannot be read: " + error.text + "."});
}

// On the worker.
Told<std::optional<Opened>> open(const std::filesystem::path& file, const std::string& point,
                                 bool known) {
  auto opened = History::open(file);
  if (!opened && known) return std::nullopt;  // nothing was written yet
  if (!opened) return refused(opened.error());
  const auto history = std::make_shared<History>(std::move(*opened));
  auto found = history->find(point);
  if (!found) return refused(found.error());
  std::erase_if(*found, [&](const history::Series& series) { return series.name != point; });
  if (!found->empty()) return Opened{history, found->front()};
  if (known) return std::nullopt;
  auto names = history->names();
  if (!names) return refused(names.error());
  const auto like = nearest_names(point, std::move(*names));
  return std::unexpected(
      Refusal{404, fmt::format("There is no point '{}'{}.", start_of(point, 100),
                               like.empty() ? "; nothing was recorded yet"
                                            : "; the closest are " + join(like, ", "))});
}

Told<HistoryRows> rows_of(const std::optional<Opened>& opened, const Asked& asked,
                          const std::atomic<bool>& stop) {
  if (!opened) return HistoryRows{};
  if (opened->series.kind == history::Kind::text)
    return std::unexpected(
        Refusal{422, "This point is a text: it has no curve. Ask with format=csv."});
  auto rows = read_rows(*opened->history, {opened->series, asked.from, asked.to, asked.step},
                        HistoryDesk::kMostRows, stop);
  if (!rows) return refused(rows.error());
  return std::move(*rows);
}

// A file on its way: where it is, and what it is read from.
struct CsvFile {
  Turns::Place place;
  std::optional<Opened> opened;
  Millis step = 0, from = 0, to = 0;
  bool begun = false;
};

Result<std::optional<std::string>> read_piece(CsvFile& file, const std::atomic<bool>& stop) {
  std::string text;
  if (!file.begun) history::append_csv_head(text, file.step == 0);
  const bool first = !std::exchange(file.begun, true);
  const auto rest = first ? std::optional(text) : std::nullopt;
  if (!file.opened) return rest;
  auto next =
      next_csv(*file.opened->history, file.opened->series, file.step, file.from, file.to, stop);
  if (!next) return fail(next.error());
  if (!*next) return rest;
  return std::optional(text + **next);
}

}  // namespace

HistoryDesk::HistoryDesk(Clock& clock, Field& field, std::filesystem::path data_dir)
    : state_(std::make_shared<State>(clock, field, std::move(data_dir))) {}

HistoryDesk::~HistoryDesk() { close(); }

void HistoryDesk::close() { state_->stop = true; }

namespace {

template <class State>
Task<std::optional<std::string>> next_piece(std::shared_ptr<State> state, Worker& worker,
                                            std::shared_ptr<CsvFile> file) {
  auto reading = worker.run([state, file] { return read_piece(*file, state->stop); });
  auto piece = co_await std::move(reading);
  if (piece) co_return std::move(*piece);
  // The head is out already: the transfer is cut, and whoever reads sees that it is not whole.
  throw boost::system::system_error(asio::error::operation_aborted, piece.error().text);
}

// Counts those who ask. With the last of a crowd its memory goes.
template <class State>
struct Asking {
  Asking(State& of, Worker& on) : state(of), worker(on) {
    if (++state.asking > HistoryDesk::kAtOnce) state.crowded = true;
  }
  ~Asking() {
    if (--state.asking == 0 && std::exchange(state.crowded, false))
      worker.post([] { ::malloc_trim(0); });
  }
  State& state;
  Worker& worker;
};

Response too_many(std::string_view why) {
  auto refused = problem(503, "Service Unavailable", why);
  refused.headers.emplace_back("Retry-After", "5");
  return refused;
}

std::string file_name(const Asked& asked) {
  std::string name;
  for (const char c : asked.point)
    name +=
        std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' ? c : '_';
  return name + ".csv";
}

}  // namespace

Task<Response> HistoryDesk::answer(const Call& call) {
  const auto state = state_;
  Query query(call.request);
  const auto asked = read(query, state->clock.now());
  if (query.problem()) co_return *query.problem();
  if (state->file.empty())
    co_return problem(503, "Service Unavailable",
                      "The gateway runs without persistence: nothing is recorded.");

  const Asking<State> counted(*state, worker_);
  const auto place = co_await state->turns.take();
  if (!place) co_return too_many("Too many ask the history at once; ask again in a moment.");

  std::function<Present(Context&)> question = [name = asked.point](Context& context) {
    return present_of(context, name);
  };
  const auto present = (co_await state->field.ask(std::move(question))).value_or(Present{});

  auto opening = worker_.run([state, point = asked.point, known = present.known] {
    return open(state->file, point, known);
  });
  auto opened = co_await std::move(opening);
  const auto refuse = [](const Refusal& why) {
    const char* title = why.status == 404   ? "Not Found"
                        : why.status == 422 ? "Unprocessable Content"
                                            : "Service Unavailable";
    return problem(why.status, title, why.text);
  };
  if (!opened) co_return refuse(opened.error());

  if (!asked.csv) {
    auto reading = worker_.run(
        [state, asked, opened = *opened] { return rows_of(opened, asked, state->stop); });
    const auto rows = co_await std::move(reading);
    if (!rows) co_return refuse(rows.error());
    const auto unit = *opened ? (*opened)->series.unit : present.unit;
    co_return json_answer(as_json(asked, unit, *rows, present));
  }

  auto file = std::make_shared<CsvFile>();
  file->place = co_await state->files.take();
  if (!file->place)
    co_return too_many(
        fmt::format("{} files are on their way already; ask again when one is there.", kMostFiles));
  file->opened = std::move(*opened);
  file->from = asked.from;
  file->to = asked.to;
  if (file->opened) {
    auto choosing = worker_.run([file, asked] {
      return choose_step(*file->opened->history,
                         {file->opened->series, asked.from, asked.to, asked.step});
    });
    const auto step = co_await std::move(choosing);
    if (!step)
      co_return problem(503, "Service Unavailable",
                        "The history cannot be read: " + step.error().text + ".");
    file->step = file->opened->series.kind == history::Kind::text ? 0 : *step;
  }
  Response response;
  response.content_type = "text/csv; charset=utf-8";
  response.headers.emplace_back("Content-Disposition",
                                fmt::format("attachment; filename=\"{}\"", file_name(asked)));
  response.pieces = [state, &worker = worker_, file] { return next_piece(state, worker, file); };
  co_return response;
}

void add_history(Router& router, HistoryDesk& desk) {
  router.add({"GET", "/api/history", Role::viewer,
              [&desk](const Call& call) { return desk.answer(call); }});
}

}  // namespace lightship::portal
