// Writes tables, CSV and JSON.
#include "cli/query_print.h"

#include <cstdio>

#include "base/json_writer.h"
#include "core/event.h"
#include "store/history/csv.h"

namespace lightship::cli {

using history::CounterEvent;
using history::Kind;
using history::Rollup;
using history::Sample;

namespace {

std::string time_text(history::Millis at) { return to_rfc3339(history::from_millis(at)); }

Value percent(const Rollup& rollup, history::Millis step) {
  return Real{history::coverage(rollup, step), 1};
}

class Table final : public QueryPrinter {
 public:
  void begin(const QueryHead& head) override {
    if (std::exchange(any_, true)) fmt::print("\n");
    head_ = head;
    rows_ = 0;
    const auto unit = head.series.unit.empty() ? "" : " [" + head.series.unit + "]";
    fmt::print("{}{}  {} .. {}\n", head.series.name, unit, time_text(head.from),
               time_text(head.to));
  }
  void row(const Sample& sample) override {
    if (rows_++ == 0) fmt::print("{:<24}  {:>14}  {}\n", "time (UTC)", "value", "quality");
    fmt::print("{:<24}  {:>14}  {}\n", time_text(sample.at), to_text(sample.value),
               history::quality(sample));
  }
  void row(const Rollup& r) override {
    const bool counts = head_.series.kind == Kind::counter;
    if (rows_++ == 0) {
      fmt::print("{:<24}  {:>12}  {:>12}  {:>12}  {:>12}  {:>7}  {:>7}{}  {}\n", "from (UTC)",
                 "avg", "min", "max", "last", "count", "cover %", counts ? "      increase" : "",
                 "quality");
    }
    const auto good = history::coverage(r, head_.step);
    fmt::print(
        "{:<24}  {:>12}  {:>12}  {:>12}  {:>12}  {:>7}  {:>7}{}  {}\n", time_text(r.start),
        to_text(history::shown_average(r)), to_text(history::shown(r, r.min)),
        to_text(history::shown(r, r.max)), to_text(history::shown(r, r.last)), r.count,
        to_text(percent(r, head_.step)),
        counts ? fmt::format("  {:>12}", to_text(history::shown_increase(head_.series, r))) : "",
        history::quality(r, good));
  }
  void end(const std::vector<CounterEvent>& events) override {
    if (rows_ == 0) fmt::print("nothing was recorded in this time\n");
    for (const auto& event : events) {
      fmt::print("{:<24}  the counter {}: {} -> {}, counted {}\n", time_text(event.at),
                 words(event.what), to_text(Real{event.before}), to_text(Real{event.after}),
                 to_text(Real{event.increase}));
    }
  }

 private:
  static std::string_view words(CounterEvent::What what) {
    switch (what) {
      case CounterEvent::What::rolled_over:
        return "rolled over";
      case CounterEvent::What::reset:
        return "was reset";
      case CounterEvent::What::replaced:
        return "was replaced by another";
      default:
        return "was read wrongly once";
    }
  }
  QueryHead head_;
  bool any_ = false;
  std::size_t rows_ = 0;
};

class Csv final : public QueryPrinter {
 public:
  void begin(const QueryHead& head) override { head_ = head; }
  void row(const Sample& sample) override {
    header(true);
    std::string line;
    history::append_csv(line, head_.series, sample);
    put(line);
  }
  void row(const Rollup& rollup) override {
    header(false);
    std::string line;
    history::append_csv(line, head_.series, head_.step, rollup);
    put(line);
  }
  void end(const std::vector<CounterEvent>&) override {
    // An answer without rows has its header all the same.
    header(head_.step == 0);
  }

 private:
  static void put(const std::string& line) { std::fwrite(line.data(), 1, line.size(), stdout); }
  void header(bool raw) {
    if (std::exchange(headed_, true)) return;
    std::string line;
    history::append_csv_head(line, raw);
    put(line);
  }
  QueryHead head_;
  bool headed_ = false;
};

// One object; with several series a list of them.
class Json final : public QueryPrinter {
 public:
  explicit Json(bool several) : several_(several) {}
  void begin(const QueryHead& head) override {
    head_ = head;
    rows_ = 0;
    std::string text = several_ ? (objects_ == 0 ? "[" : ",\n") : "";
    ++objects_;
    JsonWriter json(text);
    json.begin_object().member("point", head.series.name).member("unit", head.series.unit);
    json.member("kind", to_string(head.series.kind));
    json.member("from", time_text(head.from)).member("to", time_text(head.to));
    json.key("step");
    if (head.step == 0)
      json.null();
    else
      json.value(static_cast<double>(head.step) / 1000);
    json.key("rows").begin_array();
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
  void row(const Sample& sample) override {
    put([&](JsonWriter& json) {
      json.member("time", time_text(sample.at)).member("value", sample.value);
      json.member("quality", history::quality(sample));
    });
  }
  void row(const Rollup& r) override {
    const auto good = history::coverage(r, head_.step);
    put([&](JsonWriter& json) {
      json.member("time", time_text(r.start)).member("avg", history::shown_average(r));
      json.member("min", history::shown(r, r.min)).member("max", history::shown(r, r.max));
      json.member("last", history::shown(r, r.last)).member("count", r.count);
      json.member("coverage", Real{good, 1});
      if (head_.series.kind == Kind::counter)
        json.member("increase", history::shown_increase(head_.series, r));
      json.member("quality", history::quality(r, good));
    });
  }
  void end(const std::vector<CounterEvent>& events) override {
    std::string text = "],\"events\":";
    JsonWriter json(text);
    json.begin_array();
    for (const auto& event : events) {
      json.begin_object().member("time", time_text(event.at)).member("what", to_string(event.what));
      json.member("before", event.before).member("after", event.after);
      json.member("increase", event.increase).end_object();
    }
    json.end_array();
    text += "}";
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
  void finish() override { std::fputs(several_ ? "]\n" : "\n", stdout); }

 private:
  template <class F>
  void put(F fill) {
    std::string text = rows_++ == 0 ? "\n" : ",\n";
    JsonWriter json(text);
    json.begin_object();
    fill(json);
    json.end_object();
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
  QueryHead head_;
  bool several_;
  std::size_t rows_ = 0, objects_ = 0;
};

}  // namespace

std::unique_ptr<QueryPrinter> make_printer(const std::string& format, bool several) {
  if (format == "csv") return std::make_unique<Csv>();
  if (format == "json") return std::make_unique<Json>(several);
  return std::make_unique<Table>();
}

}  // namespace lightship::cli
