// Prints frames and the summary of a line.
#include "cli/sniff_print.h"

#include <algorithm>

#include "base/hex.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "cli/overheard_text.h"
#include "codec/modbus/exception.h"
#include "link/serial_timing.h"

namespace lightship::cli {
namespace {

using modbus::Overheard;

std::int64_t us(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

std::string time_of_day(Time time) {
  const auto of_day = (time - std::chrono::floor<std::chrono::days>(time)).count();
  return fmt::format("{:02}:{:02}:{:02}.{:06}", of_day / 3'600'000'000, of_day / 60'000'000 % 60,
                     of_day / 1'000'000 % 60, of_day % 1'000'000);
}

std::string with_microseconds(Time time) {
  auto text = to_rfc3339(time);  // ends with milliseconds and Z
  text.insert(text.size() - 1, fmt::format("{:03}", time.time_since_epoch().count() % 1000));
  return text;
}

// The ranges that are polled, each unit's in the order of how often.
std::vector<std::pair<poller::AskedRange, poller::AskedHow>> polls(
    const poller::LineReport& report) {
  std::vector<std::pair<poller::AskedRange, poller::AskedHow>> all(report.asked().begin(),
                                                                   report.asked().end());
  std::ranges::sort(all, [](const auto& a, const auto& b) {
    return a.first.unit != b.first.unit ? a.first.unit < b.first.unit
                                        : a.second.times > b.second.times;
  });
  return all;
}

double percent(const SniffSummary& summary, const poller::LineReport& report) {
  return 100 * report.load(link::char_time(*summary.settings), summary.listened);
}

}  // namespace

void SniffPrinter::frame(const Overheard& heard) const {
  if (json_) return frame_json(heard);
  const auto at = start_ + std::chrono::duration_cast<Duration>(heard.begin);
  const bool framed = heard.kind != Overheard::Kind::noise;
  std::string text = fmt::format(
      "{}  {:>9.3f} ms  {:<7}  {:>8}  ", time_of_day(at), to_ms(heard.gap), to_string(heard.kind),
      framed && !heard.pdu.empty() ? fmt::format("unit {}", heard.unit) : std::string());
  if (heard.kind != Overheard::Kind::noise) text += meaning(heard) + "  ";
  if (heard.answer_time) text += fmt::format("after {}  ", for_people(*heard.answer_time));
  fmt::print("{}[{}]\n", text, shown_bytes(heard, ascii_));
  std::fflush(stdout);
}

void SniffPrinter::frame_json(const Overheard& heard) const {
  std::string text;
  JsonWriter json(text);
  const bool noise = heard.kind == Overheard::Kind::noise;
  json.begin_object()
      .member("type", noise ? "noise" : "frame")
      .member("timestamp",
              with_microseconds(start_ + std::chrono::duration_cast<Duration>(heard.begin)))
      .member("at_us", us(heard.begin))
      .member("gap_us", us(heard.gap));
  if (!noise) {
    json.member("direction",
                heard.kind == Overheard::Kind::damaged ? "unknown" : to_string(heard.kind));
    json.member("check", heard.is_frame() ? "good" : "bad");
    if (!heard.pdu.empty()) json.member("unit", heard.unit);
    if (heard.is_frame()) write_meaning(json, heard);
    if (heard.answer_time) json.member("answer_us", us(*heard.answer_time));
  }
  json.member("bytes", to_hex(heard.bytes)).end_object();
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

void SniffPrinter::summary(const SniffSummary& summary, const poller::LineReport& report) const {
  if (json_) return summary_json(summary, report);
  const double seconds = std::max(1e-6, to_ms(summary.listened) / 1000);
  fmt::print("\n{}: listened {}", summary.line, for_people(summary.listened));
  if (report.bytes() == 0) {
    fmt::print(", heard nothing: look at the two wires, their polarity and whether anybody asks\n");
    std::fflush(stdout);
    return;
  }
  fmt::print(", {} ({:.1f}/s), {}", counted(report.requests(), "request"),
             static_cast<double>(report.requests()) / seconds, counted(report.answers(), "answer"));
  if (summary.settings) fmt::print(", the line is {:.1f} % full", percent(summary, report));
  fmt::print("\n");

  fmt::print("  {:>4}  {:>8}  {:>8}  {:>10}  {:>9}  {:>9}  {:>9}  {}\n", "unit", "requests",
             "answers", "unanswered", "p50", "p95", "slowest", "what else");
  for (const auto& [unit, r] : report.units()) {
    std::vector<std::string> also;
    for (const auto& [code, times] : r.exceptions)
      also.push_back(fmt::format("{} times {}", times, modbus::exception_text(code)));
    if (r.repeated > 0) also.push_back(fmt::format("{} asked again", r.repeated));
    if (r.wrong > 0) also.push_back(fmt::format("{} not what was asked", r.wrong));
    if (r.unasked > 0) also.push_back(fmt::format("{} nobody asked", r.unasked));
    if (r.damaged > 0) also.push_back(fmt::format("{} damaged", r.damaged));
    const bool timed = r.answer_times.count() > 0;
    const auto shown = [&](std::chrono::nanoseconds t) { return timed ? for_people(t) : "-"; };
    fmt::print("  {:>4}  {:>8}  {:>8}  {:>10}  {:>9}  {:>9}  {:>9}  {}\n", unit, r.requests,
               r.answers, r.unanswered, shown(r.answer_times.quantile(0.5)),
               shown(r.answer_times.quantile(0.95)), shown(r.answer_times.max()), join(also, ", "));
  }
  for (const auto& [range, how] : polls(report)) {
    const auto interval = how.interval();
    fmt::print(
        "  unit {}: {} {}-{}, {}\n", range.unit,
        modbus::name(static_cast<modbus::Function>(range.function)), range.address,
        range.address + range.count - 1,
        interval ? fmt::format("every {} ({} times)", for_people(*interval), how.times) : "once");
  }
  std::vector<std::string> wrong;
  if (report.damaged() > 0) wrong.push_back(counted(report.damaged(), "damaged frame"));
  if (report.noise_bytes() > 0)
    wrong.push_back(counted(report.noise_bytes(), "byte") + " of noise");
  if (summary.errors.frame > 0)
    wrong.push_back(counted(summary.errors.frame, "framing error") + " (rate, data bits, stop)");
  if (summary.errors.parity > 0)
    wrong.push_back(counted(summary.errors.parity, "parity error") + " (parity)");
  if (summary.errors.overrun > 0)
    wrong.push_back(counted(summary.errors.overrun, "overrun") + " (this machine was too slow)");
  if (summary.errors.breaks > 0) wrong.push_back(counted(summary.errors.breaks, "break"));
  if (!wrong.empty()) fmt::print("  errors: {}\n", join(wrong, ", "));
  std::fflush(stdout);
}

void SniffPrinter::summary_json(const SniffSummary& summary,
                                const poller::LineReport& report) const {
  std::string text;
  JsonWriter json(text);
  const double seconds = std::max(1e-6, to_ms(summary.listened) / 1000);
  json.begin_object().member("type", "summary").member("line", summary.line);
  if (summary.settings) json.member("settings", link::describe(*summary.settings));
  json.key("duration_ms").value(Real{to_ms(summary.listened), 3});
  json.member("requests", report.requests()).member("answers", report.answers());
  json.key("requests_per_second").value(Real{static_cast<double>(report.requests()) / seconds, 3});
  json.key("load_percent");
  if (summary.settings)
    json.value(Real{percent(summary, report), 2});
  else
    json.null();
  json.key("units").begin_array();
  for (const auto& [unit, r] : report.units()) {
    json.begin_object().member("unit", unit).member("requests", r.requests);
    json.member("answers", r.answers).member("unanswered", r.unanswered);
    json.member("repeated", r.repeated).member("wrong", r.wrong).member("unasked", r.unasked);
    json.member("damaged", r.damaged);
    json.key("exceptions").begin_object();
    for (const auto& [code, times] : r.exceptions) json.member(std::to_string(code), times);
    json.end_object();
    for (const auto& [name, part] : {std::pair("answer_p50_ms", 0.5), {"answer_p95_ms", 0.95}}) {
      json.key(name);
      if (r.answer_times.count() > 0)
        json.value(Real{to_ms(r.answer_times.quantile(part)), 3});
      else
        json.null();
    }
    json.key("answer_max_ms");
    if (r.answer_times.count() > 0)
      json.value(Real{to_ms(r.answer_times.max()), 3});
    else
      json.null();
    json.end_object();
  }
  json.end_array().key("polls").begin_array();
  for (const auto& [range, how] : polls(report)) {
    json.begin_object().member("unit", range.unit).member("function", range.function);
    json.member("address", range.address).member("count", range.count);
    json.member("times", how.times).key("interval_ms");
    if (const auto interval = how.interval())
      json.value(Real{to_ms(*interval), 1});
    else
      json.null();
    json.end_object();
  }
  json.end_array().key("errors").begin_object();
  json.member("damaged", report.damaged()).member("noise_bytes", report.noise_bytes());
  json.member("framing", summary.errors.frame).member("parity", summary.errors.parity);
  json.member("overrun", summary.errors.overrun).member("breaks", summary.errors.breaks);
  json.end_object().end_object();
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

}  // namespace lightship::cli
