// Writes the status as JSON and as a line.
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

// In whole milliseconds: the sum of two fractions prints as 0.44409099999999996.
double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto us = [](const timeval& time) {
    return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_usec;
  };
  return static_cast<double>((us(used.ru_utime) + us(used.ru_stime)) / 1000) / 1000;
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
  if (!running.portal.empty()) json.member("portal", running.portal);
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

std::string status_line(Context& context, const Running& running) {
  const auto count = tally(context);
  std::string line = fmt::format("{} of {} answer", count.online, counted(count.devices, "device"));
  if (!running.ready) line = "starting";
  const auto late = context.progress.late();
  if (!late.empty()) line += "; no progress: " + join(late, ", ");
  return line;
}

}  // namespace lightship::app
