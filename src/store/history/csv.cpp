// Writes CSV, and the numbers of roll-ups as they are shown.
#include "store/history/csv.h"

#include "store/history/number.h"

namespace lightship::history {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}
std::string cell(const Value& value) { return has_value(value) ? quoted(to_text(value)) : ""; }
std::string time_text(Millis at) { return to_rfc3339(from_millis(at)); }

}  // namespace

std::string quality(const Sample& sample) {
  return sample.reason == Reason::none ? "good" : to_string(sample.reason, sample.code);
}

std::string quality(const Rollup& rollup, double coverage_percent) {
  if (rollup.reason != Reason::none) return to_string(rollup.reason, rollup.code);
  return coverage_percent >= 99.95 ? "good" : "gap";
}

Value shown(const Rollup& rollup, double number) {
  return rollup.has_value() ? shown(rollup.format, number) : Value{};
}

Value shown_average(const Rollup& rollup) {
  return rollup.has_value() ? shown(average_format(rollup.format), rollup.avg) : Value{};
}

Value shown_increase(const Series& series, const Rollup& rollup) {
  if (series.kind != Kind::counter) return {};
  const auto format = rollup.format == Format::f32 ? Format::scaled : rollup.format;
  if (format == Format::scaled) return Real{rollup.increase, 4};
  return shown(format, rollup.increase);
}

void append_csv_head(std::string& out, bool raw) {
  out += raw ? "time,point,value,unit,quality\r\n"
             : "time,point,avg,min,max,last,count,coverage,increase,unit,quality\r\n";
}

void append_csv(std::string& out, const Series& series, const Sample& sample) {
  out += fmt::format("{},{},{},{},{}\r\n", time_text(sample.at), quoted(series.name),
                     cell(sample.value), quoted(series.unit), quality(sample));
}

void append_csv(std::string& out, const Series& series, Millis step, const Rollup& rollup) {
  const auto percent = coverage(rollup, step);
  out += fmt::format(
      "{},{},{},{},{},{},{},{},{},{},{}\r\n", time_text(rollup.start), quoted(series.name),
      cell(shown_average(rollup)), cell(shown(rollup, rollup.min)), cell(shown(rollup, rollup.max)),
      cell(shown(rollup, rollup.last)), rollup.count, cell(Real{percent, 1}),
      cell(shown_increase(series, rollup)), quoted(series.unit), quality(rollup, percent));
}

}  // namespace lightship::history
