// Writes the status as JSON, as a page and as a line.
#include "app/status.h"

#include <cstdio>

#include <sys/resource.h>
#include <unistd.h>

#include "app/version.h"
#include "base/json_writer.h"
#include "base/text.h"

namespace lightship::app {
namespace {

struct Memory {
  std::uint64_t resident = 0, anonymous = 0;  // bytes
};

Memory memory() {
  Memory found;
  std::FILE* file = std::fopen("/proc/self/status", "re");
  if (file == nullptr) return found;
  char line[256];
  while (std::fgets(line, sizeof line, file) != nullptr) {
    unsigned long kib = 0;
    if (std::sscanf(line, "VmRSS: %lu", &kib) == 1) found.resident = kib * 1024;
    if (std::sscanf(line, "RssAnon: %lu", &kib) == 1) found.anonymous = kib * 1024;
  }
  std::fclose(file);
  return found;
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct Tally {
  std::size_t devices = 0, online = 0;
};
Tally tally(Context& context) {
  Tally count;
  for (const auto id : context.catalog.devices()) {
    ++count.devices;
    if (context.cache.device(id).online) ++count.online;
  }
  return count;
}

std::string html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

constexpr std::string_view kStyle =
    R"(body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1100px;padding:24px;
color:#1a2230;background:#f4f6f9}h1{font-size:20px}h2{font-size:16px;margin:24px 0 8px}table{width:100%;border-collapse:collapse;
background:#fff;border:1px solid #e2e6ec;border-radius:12px}td,th{text-align:left;padding:6px 12px;border-bottom:1px solid #e2e6ec;
font-variant-numeric:tabular-nums}th{font-weight:500;color:#556}td.n{text-align:right}.good{color:#0e7a4b}.alarm{color:#b3261e}
.u{color:#667}@media(prefers-color-scheme:dark){body{color:#dde3ee;background:#0b0e14}table{background:#12161f;border-color:#222937}
td,th{border-color:#222937}th,.u{color:#98a3b5}.good{color:#58d7a2}.alarm{color:#ff8b82}})";

}  // namespace

void add_process_metrics(Metrics& metrics, Time started) {
  metrics.gauge("process_resident_bytes", "resident memory", {},
                [] { return static_cast<double>(memory().resident); });
  metrics.gauge("process_anonymous_bytes", "resident memory that is not a file's", {},
                [] { return static_cast<double>(memory().anonymous); });
  metrics.gauge("process_cpu_seconds", "processor time used", {}, [] { return cpu_seconds(); });
  const auto seconds = std::chrono::duration<double>(started.time_since_epoch()).count();
  metrics.gauge("process_start_time_seconds", "when the program was started, seconds since 1970",
                {}, [seconds] { return seconds; });
  metrics.gauge("build_info", "1, with the version as a label",
                {{"version", std::string(version())}}, [] { return 1.0; });
}

std::string status_json(Context& context, const Parts& parts, const Running& running) {
  std::string text;
  JsonWriter json(text);
  const auto late = context.progress.late();
  const auto count = tally(context);
  json.begin_object();
  json.member("version", version());
  json.member("device_id", context.device_id);
  json.member("state", running.ready ? late.empty() ? "running" : "late" : "starting");
  json.member("started", to_rfc3339(running.started));
  json.member("uptime_s", std::chrono::duration_cast<std::chrono::seconds>(context.clock.mono() -
                                                                           running.started_mono)
                              .count());
  json.key("late").begin_array();
  for (const auto& name : late) json.value(name);
  json.end_array();
  json.key("config").begin_object();
  json.member("directory", context.config_dir.string());
  json.member("hash", running.config_hash);
  json.member("loaded", to_rfc3339(running.loaded)).end_object();
  json.key("devices").begin_object();
  json.member("count", count.devices).member("online", count.online).end_object();
  const auto used = memory();
  json.key("process").begin_object();
  json.member("resident_bytes", used.resident).member("anonymous_bytes", used.anonymous);
  json.member("cpu_seconds", cpu_seconds()).end_object();
  json.key("bus").begin_object();
  json.member("events", context.bus.published())
      .member("dropped", context.bus.dropped())
      .end_object();
  json.key("log").begin_object();
  json.member("warnings", context.logbook.lines(Level::warn))
      .member("errors", context.logbook.lines(Level::error))
      .end_object();
  json.key("parts");
  parts.describe_status(json);
  json.end_object();
  return text;
}

std::string status_page(Context& context, const Parts& parts, const Running& running) {
  const auto count = tally(context);
  std::string out = fmt::format(
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\">"
      "<meta http-equiv=\"refresh\" content=\"2\"><title>{0} - "
      "Lightship</title><style>{1}</style><h1>{0}</h1>"
      "<p>Lightship {2}, running for {3}: {4} of {5} answer. "
      "<a href=\"/api/status\">status</a> <a href=\"/metrics\">metrics</a></p>",
      html(context.device_id), kStyle, version(),
      for_people(context.clock.mono() - running.started_mono), count.online,
      counted(count.devices, "device"));
  for (const auto id : context.catalog.devices()) {
    const auto& info = context.catalog.info(id);
    const auto& state = context.cache.device(id);
    out += fmt::format(
        "<h2>{} <span class=\"{}\">{}</span> <span class=\"u\">polled in "
        "{}</span></h2><table><tr><th>Point<th>Value<th>"
        "Unit<th>Quality<th>Age</tr>",
        html(info.id()), state.online ? "good" : "alarm", state.online ? "● online" : "■ silent",
        for_people(state.poll));
    for (const auto point : context.catalog.points(id)) {
      const auto& now = context.cache.point(point);
      const bool good = now.reason == Reason::none;
      out += fmt::format(
          "<tr><td>{}<td class=\"n\">{}<td class=\"u\">{}<td class=\"{}\">{}<td "
          "class=\"n\">{}</tr>",
          html(context.catalog.info(point).name), good ? html(to_text(now.value)) : "-",
          html(context.catalog.info(point).unit), good ? "good" : "alarm",
          good ? "good" : to_string(now.reason, now.code),
          now.arrived == MonoTime::min() ? "-" : for_people(context.clock.mono() - now.arrived));
    }
    out += "</table>";
  }
  (void)parts;
  return out + "</html>";
}

std::string status_line(Context& context, const Running& running) {
  const auto count = tally(context);
  std::string line = fmt::format("{} of {} answer", count.online, counted(count.devices, "device"));
  if (!running.ready) line = "starting";
  const auto late = context.progress.late();
  if (!late.empty()) line += "; no progress: " + join(late, ", ");
  return line;
}

}  // namespace lightship::app
