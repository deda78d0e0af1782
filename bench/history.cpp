// The history: what a value costs on the field loop, in memory, on the disk and in a query.
//
//   history [DAYS]     a month by default
//
// A site of 32 meters with 30 points, polled each ten seconds, is recorded with a commit for each
// ten seconds. The peer is the obvious table, one row a value under (series, time), in the same
// SQLite with the same commits; it is given one day, because it needs as long for that as we for
// many.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

#include "store/history/compact.h"
#include "store/history/reader.h"
#include "store/history/recorder.h"
#include "store/history/writer.h"

namespace lightship::history {
namespace {

using namespace std::chrono_literals;

constexpr Millis kStart = 1'767'225'600'000;  // 2026-01-01
constexpr int kMeters = 32, kPoints = 30;

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_THREAD, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void print(std::string_view name, double ours, std::optional<double> peer, std::string_view unit,
           bool higher, std::string_view more = {}) {
  fmt::print(
      "{{\"name\":\"History, {}\",\"ours\":{:.4g},\"peer\":{},\"ratio\":{},\"unit\":\"{}\","
      "\"higher_is_better\":{}{}}}\n",
      name, ours, peer ? fmt::format("{:.4g}", *peer) : "null",
      peer ? fmt::format("{:.3g}", ours / *peer) : "null", unit, higher, more);
  std::fflush(stdout);
}

// Devices of equal points whose values wander as measured ones do: 32-bit floats with all their
// noise, scaled integers, and a counter.
class Site {
 public:
  Site(int devices, int points, Duration poll, const std::function<Keep(int)>& keep) {
    for (int d = 0; d < devices; ++d) {
      DeviceInfo info;
      info.connection = "line";
      info.client = fmt::format("meter-{}", d);
      info.poll_interval = poll;
      info.history = keep(d);
      Readings readings;
      readings.device = catalog.device(info);
      readings.online = true;
      std::vector<PointId> ids;
      for (int p = 0; p < points; ++p) {
        ids.push_back(catalog.point(readings.device,
                                    p == 0 ? "energy_import" : fmt::format("point_{}", p),
                                    p == 0 ? "kWh" : "V"));
        readings.readings.push_back({ids.back(), Real{230, Real::kShortestFloat}});
      }
      catalog.set_points(readings.device, std::move(ids));
      polls.push_back(std::move(readings));
    }
  }

  void poll(Recorder& recorder, Millis at) {
    for (std::size_t d = 0; d < polls.size(); ++d) {
      auto& poll = polls[d];
      poll.at = from_millis(at + static_cast<Millis>(noise() % 40 + d));
      poll.arrived = MonoTime(std::chrono::milliseconds(at));
      for (std::size_t p = 0; p < poll.readings.size(); ++p) {
        auto& value = poll.readings[p].value;
        const double wave = 230 + static_cast<double>(noise() % 1000) * 0.002;
        if (p == 0)
          value = Real{static_cast<double>(at - kStart) * 1e-6, 2};
        else if (p % 3 == 0)
          value = Real{std::round(wave * 10) / 10, 1};
        else
          value = Real{static_cast<double>(static_cast<float>(wave)), Real::kShortestFloat};
      }
      recorder.take(poll);
    }
  }

  Catalog catalog;
  std::vector<Readings> polls;

 private:
  std::uint32_t noise() {
    state_ = state_ * 1664525 + 1013904223;
    return state_ >> 8;
  }
  std::uint32_t state_ = 1;
};

// 100,000 points a second, every one in the 1-minute roll-up and 2,000 of them stored raw.
void field_loop() {
  constexpr int kSeconds = 90;
  Site site(50, 2000, 1s, [](int d) { return d == 0 ? Keep::raw : Keep::rollup; });
  // Big blocks are counted apart.
  const auto memory = [] {
    const auto info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  const auto with_site = memory();
  Recorder recorder(site.catalog, {});
  site.poll(recorder, kStart);
  (void)recorder.take_batch();
  const auto with_recorder = memory();
  double used = 0;
  std::size_t bytes = 0;
  for (int second = 1; second <= kSeconds; ++second) {
    const auto from = cpu_seconds();
    site.poll(recorder, kStart + second * 1000);
    used += cpu_seconds() - from;
    if (second % 10 == 0) {
      const auto batch_from = cpu_seconds();
      bytes += recorder.take_batch().bytes();
      used += cpu_seconds() - batch_from;
    }
  }
  // Making the values is not the recorder's work. Nothing is kept of these devices, so this is the
  // making alone.
  double idle = 0;
  {
    Site same(50, 2000, 1s, [](int) { return Keep::none; });
    Recorder nothing(same.catalog, {});
    const auto from = cpu_seconds();
    for (int second = 1; second <= 20; ++second) same.poll(nothing, kStart + second * 1000);
    idle = (cpu_seconds() - from) / 20;
  }
  const double each = used / kSeconds - idle;
  print("100,000 points/s in roll-ups, 2,000 of them raw", each * 100, std::nullopt, "% of a core",
        false,
        fmt::format(",\"ns_per_point\":{:.1f},\"bytes_per_point_in_memory\":{:.0f},"
                    "\"kB_per_s_handed_over\":{:.0f}",
                    each * 1e9 / 100'000, static_cast<double>(with_recorder - with_site) / 100'000,
                    static_cast<double>(bytes) / kSeconds / 1000));
}

struct Peer {
  double values_per_s = 0, bytes_per_value = 0, query_ms = 0, written_per_value = 0;
};

Peer plain_table(const std::filesystem::path& file, int seconds) {
  auto database = sqlite::Database::open(file, {});
  if (!database) std::abort();
  (void)database->execute(
      "CREATE TABLE sample(series INTEGER, at INTEGER, value REAL, PRIMARY KEY(series, at)) "
      "WITHOUT ROWID");
  auto insert = database->prepare("INSERT INTO sample VALUES(?,?,?)");
  const auto from = cpu_seconds();
  const auto written = bytes_written_by_this_thread();
  std::uint32_t state = 1;
  double values = 0;
  for (int second = 0; second < seconds; second += 10) {
    auto transaction = sqlite::Transaction::begin(*database);
    for (int series = 0; series < kMeters * kPoints; ++series) {
      state = state * 1664525 + 1013904223;
      insert->bind(0, std::int64_t{series}).bind(1, kStart + second * 1000);
      insert->bind(2, 230 + static_cast<double>((state >> 8) % 1000) * 0.002);
      if (!insert->run()) std::abort();
      ++values;
    }
    if (!transaction->commit()) std::abort();
  }
  Peer peer;
  peer.values_per_s = values / (cpu_seconds() - from);
  (void)database->execute("PRAGMA wal_checkpoint(TRUNCATE)");
  peer.written_per_value = static_cast<double>(bytes_written_by_this_thread() - written) / values;
  peer.bytes_per_value = static_cast<double>(std::filesystem::file_size(file)) / values;
  const auto asked = steady_now();
  auto select = database->prepare("SELECT at, value FROM sample WHERE series=17 ORDER BY at");
  double sum = 0;
  while (*select->step()) sum += select->real(1);
  peer.query_ms = to_ms(steady_now() - asked) * (86'400.0 / seconds);  // of a day
  if (sum == 0) std::abort();
  return peer;
}

void site(const std::filesystem::path& folder, int days) {
  const auto file = folder / kFileName;
  Site site(kMeters, kPoints, 10s, [](int) { return Keep::raw; });
  Recorder recorder(site.catalog, {});
  auto writer = Writer::open(file);
  if (!writer) std::abort();
  const auto from = cpu_seconds();
  const auto written = bytes_written_by_this_thread();
  for (int day = 0; day < days; ++day) {
    for (int second = 0; second < 86'400; second += 10) {
      site.poll(recorder, kStart + day * 86'400'000LL + second * 1000);
      if (!writer->append(recorder.take_batch())) std::abort();
    }
    if (!compact(writer->database(), kStart + (day + 1) * 86'400'000LL - 300'000)) std::abort();
  }
  const double took = cpu_seconds() - from;
  (void)writer->database().execute("PRAGMA wal_checkpoint(TRUNCATE)");
  const double disk = static_cast<double>(bytes_written_by_this_thread() - written);
  const double values = static_cast<double>(recorder.values());
  const auto sum = [&](int tier) {
    return static_cast<double>(
        writer->database()
            .integer(fmt::format("SELECT sum(length(blob)) FROM chunk WHERE tier={}", tier))
            .value_or(0));
  };
  const double raw = sum(0), minutes = sum(1);
  const double all = static_cast<double>(std::filesystem::file_size(file));
  const auto peer = plain_table(folder / "plain.db", 4 * 3600);
  print("raw values recorded, committed and compacted, with roll-ups", values / took,
        peer.values_per_s, "values/s of CPU", true);
  print("bytes of a raw value", raw / values, peer.bytes_per_value, "bytes", false);
  print("bytes of a raw value with all roll-ups, on disk", all / values, peer.bytes_per_value,
        "bytes", false,
        fmt::format(",\"minute_rollup_bytes\":{:.2f},\"MB_per_day\":{:.1f}",
                    minutes / static_cast<double>(recorder.rollups()), all / days / 1e6));
  print("bytes written for a raw value", disk / values, peer.written_per_value, "bytes", false,
        fmt::format(",\"MB_written_per_day\":{:.0f}", disk / days / 1e6));

  auto history = History::open(file);
  if (!history) std::abort();
  const auto series = history->find("line/meter-7/point_3")->front().id;
  const Millis to = kStart + days * 86'400'000LL;
  const auto timed = [&](auto ask) {
    double best = 1e9;
    for (int turn = 0; turn < 3; ++turn) {
      const auto begun = steady_now();
      ask();
      best = std::min(best, to_ms(steady_now() - begun));
    }
    return best;
  };
  std::size_t rows = 0;
  const double raw_ms = timed([&] {
    rows = 0;
    (void)history->samples(series, kStart, to, [&](const Sample&) { return ++rows > 0; });
  });
  print(fmt::format("all {} raw values of a point in {} days", rows, days), raw_ms,
        peer.query_ms * days, "ms", false);
  const double hour_ms = timed([&] {
    rows = 0;
    (void)history->steps(series, 3'600'000, kStart, to, [&](const Rollup&) { return ++rows > 0; });
  });
  print(fmt::format("{} hours of a point in {} days", rows, days), hour_ms, std::nullopt, "ms",
        false);
  const double quarter_ms = timed([&] {
    rows = 0;
    (void)history->steps(series, 900'000, kStart, to, [&](const Rollup&) { return ++rows > 0; });
  });
  print(fmt::format("{} quarters of an hour in {} days", rows, days), quarter_ms, std::nullopt,
        "ms", false);
}

}  // namespace
}  // namespace lightship::history

int main(int argc, char** argv) {
  const int days = argc > 1 ? std::atoi(argv[1]) : 30;
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("lightship-bench-{}", getpid());
  std::filesystem::create_directories(folder);
  lightship::history::field_loop();
  lightship::history::site(folder, days > 0 ? days : 30);
  std::filesystem::remove_all(folder);
  return 0;
}
