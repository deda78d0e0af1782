// Reads /proc/stat, meminfo, loadavg, uptime, self/stat; /sys/class/thermal and hwmon.
#include "portal/diag/figures.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

#include "base/text.h"

namespace lightship::portal {
namespace {

double real(std::string_view word) { return std::strtod(std::string(word).c_str(), nullptr); }

std::uint64_t whole(std::string_view word) {
  std::uint64_t number = 0;
  std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

// What a sensor that is not connected shows is far outside.
std::optional<double> degrees(std::optional<std::int64_t> thousandths) {
  if (!thousandths) return std::nullopt;
  const double celsius = static_cast<double>(*thousandths) / 1000;
  if (celsius < -100 || celsius > 300) return std::nullopt;
  return celsius;
}

std::optional<double> limit_of_zone(const SysTree& tree, const std::string& zone) {
  std::optional<double> limit;
  for (int trip = 0; trip < 12; ++trip) {
    const auto at = fmt::format("{}/trip_point_{}_", zone, trip);
    const auto type = tree.line(at + "type");
    if (type.empty()) break;
    const auto celsius = degrees(tree.number(at + "temp"));
    if (!celsius || *celsius <= 0) continue;
    if (type == "critical") return celsius;
    if (type == "hot" || type == "passive") limit = std::max(limit.value_or(0), *celsius);
  }
  return limit;
}

}  // namespace

SystemFigures system_figures(const SysTree& tree) {
  SystemFigures figures;
  const auto stat = tree.text("/proc/stat");
  for (const auto line : split(stat, '\n')) {
    if (!line.starts_with("cpu")) break;
    const auto words = words_of(line, 11);
    if (words[0] != "cpu") {
      ++figures.cores;
      continue;
    }
    // user nice system idle iowait irq softirq steal; guest is in user already.
    for (std::size_t i = 1; i < std::min<std::size_t>(words.size(), 9); ++i) {
      const auto ticks = whole(words[i]);
      figures.all_ticks += ticks;
      if (i != 4 && i != 5) figures.busy_ticks += ticks;
    }
  }
  const auto memory = tree.text("/proc/meminfo");
  const auto bytes = [&](std::string_view name) {
    return figure_named(memory, name).value_or(0) * 1024;
  };
  figures.memory = bytes("MemTotal");
  const auto available =
      figure_named(memory, "MemAvailable")
          ? bytes("MemAvailable")
          : bytes("MemFree") + bytes("Buffers") + bytes("Cached");  // before Linux 3.14
  figures.memory_used = figures.memory - std::min(figures.memory, available);
  figures.swap = bytes("SwapTotal");
  figures.swap_used = figures.swap - std::min(figures.swap, bytes("SwapFree"));

  const auto load_line = tree.line("/proc/loadavg");
  const auto load = words_of(load_line, 3);
  for (std::size_t i = 0; i < load.size(); ++i) figures.load[i] = real(load[i]);
  figures.uptime_s = real(tree.line("/proc/uptime"));
  return figures;
}

ProcessFigures process_figures(const SysTree& tree, double boot_s, double ticks_per_s) {
  ProcessFigures figures;
  const auto status = tree.text("/proc/self/status");
  figures.resident = figure_named(status, "VmRSS").value_or(0) * 1024;
  figures.anonymous = figure_named(status, "RssAnon").value_or(0) * 1024;
  figures.threads = static_cast<unsigned>(figure_named(status, "Threads").value_or(0));
  // The name is in brackets and may hold anything; the rest begins with field 3.
  const auto stat = tree.line("/proc/self/stat");
  const auto name_ends = stat.rfind(')');
  if (name_ends == std::string::npos) return figures;
  const auto words = words_of(std::string_view(stat).substr(name_ends + 1), 22);
  constexpr std::size_t kUser = 11, kSystem = 12, kStarted = 19;
  if (words.size() <= kStarted) return figures;
  figures.ticks = whole(words[kUser]) + whole(words[kSystem]);
  figures.uptime_s =
      std::max(0.0, boot_s - static_cast<double>(whole(words[kStarted])) / ticks_per_s);
  return figures;
}

double busy_percent(const SystemFigures& before, const SystemFigures& now) {
  if (now.all_ticks <= before.all_ticks || now.busy_ticks < before.busy_ticks) return 0;
  return std::min(100.0, 100 * static_cast<double>(now.busy_ticks - before.busy_ticks) /
                             static_cast<double>(now.all_ticks - before.all_ticks));
}

std::vector<Temperature> temperatures(const SysTree& tree) {
  std::vector<Temperature> all;
  std::vector<std::string> zones;
  for (const auto& name : tree.names("/sys/class/thermal")) {
    if (!name.starts_with("thermal_zone")) continue;
    const auto zone = "/sys/class/thermal/" + name;
    const auto celsius = degrees(tree.number(zone + "/temp"));
    if (!celsius) continue;
    auto type = tree.line(zone + "/type");
    zones.push_back(type);
    all.push_back({type.empty() ? name : type, *celsius, limit_of_zone(tree, zone)});
  }
  for (const auto& name : tree.names("/sys/class/hwmon")) {
    const auto chip = "/sys/class/hwmon/" + name;
    const auto what = tree.line(chip + "/name");
    // The kernel shows each thermal zone here once more, with '_' for '-'.
    const auto same = [&](std::string zone) {
      std::ranges::replace(zone, '-', '_');
      return zone == what;
    };
    if (std::ranges::any_of(zones, same)) continue;
    for (const auto& file : tree.names(chip)) {
      if (!file.starts_with("temp") || !file.ends_with("_input")) continue;
      const auto celsius = degrees(tree.number(chip + "/" + file));
      if (!celsius) continue;
      const auto sensor = chip + "/" + file.substr(0, file.size() - 6);
      auto limit = degrees(tree.number(sensor + "_crit"));
      if (!limit || *limit <= 0) limit = degrees(tree.number(sensor + "_max"));
      if (limit && *limit <= 0) limit.reset();
      const auto label = tree.line(sensor + "_label");
      all.push_back({label.empty() ? what : what + " " + label, *celsius, limit});
    }
  }
  return all;
}

std::optional<double> main_temperature(const std::vector<Temperature>& all) {
  std::optional<double> hottest;
  for (const auto& one : all) {
    const auto name = to_lower(one.name);
    for (const char* word : {"cpu", "soc", "package", "coretemp", "k10temp", "x86_pkg"}) {
      if (name.find(word) != std::string::npos) return one.celsius;
    }
    hottest = std::max(hottest.value_or(one.celsius), one.celsius);
  }
  return hottest;
}

}  // namespace lightship::portal
