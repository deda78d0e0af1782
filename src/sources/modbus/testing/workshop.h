// For tests: a line with a scripted peer, a clock that stands still and the house around them.
#pragma once

#include <cstdlib>
#include <functional>

#include <gtest/gtest.h>
#include <unistd.h>

#include "link/testing/scripted_line.h"
#include "sources/modbus/line_conversation.h"
#include "sources/modbus/line_source.h"

namespace lightship::poller {

struct Workshop {
  asio::io_context loop;
  ManualClock clock{loop};
  link::ScriptedLink link{clock};
  // The logbook may write what it held back when it goes: the file goes after it.
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> quiet{std::fopen("/dev/null", "w"), &std::fclose};
  Logbook logbook{clock, quiet.get(), Logbook::Form::text, Level::debug};
  Catalog catalog;
  Cache cache{catalog};
  Bus bus{loop.get_executor(), cache};
  Metrics metrics;
  Progress progress{clock};
  Owners owners;
  Alerts alerts{clock};
  ClockWatch clock_watch{clock, Time{}};
  Worker files;
  std::map<std::string, std::shared_ptr<void>> heirlooms;
  Context context{
      loop.get_executor(), clock, logbook,   catalog, cache, bus, metrics, progress, owners, alerts,
      clock_watch,         files, heirlooms, "site",  {},    {}};
  std::vector<Readings> seen;

  static Task<Result<std::unique_ptr<Conversation>>> talk(Workshop& shop, LineTiming timing) {
    auto line = shop.link.open();
    if (!line) co_return fail(line.error());
    co_return std::make_unique<LineConversation>(std::move(*line), shop.clock,
                                                 LineConversation::Framing::rtu, timing,
                                                 modbus::Echo::unknown);
  }

  LineSetup line(std::vector<DeviceSetup> devices) {
    LineSetup setup;
    setup.id = "panel";
    setup.line = "script";
    setup.timeout = std::chrono::seconds(1);
    setup.retries = 1;
    setup.devices = std::move(devices);
    setup.open = [this](Context&) { return talk(*this, {}); };
    return setup;
  }

  // Two registers at 0 as a big-endian float.
  static DeviceSetup meter(std::uint8_t unit, Duration every) {
    DeviceSetup setup;
    setup.info.connection = "panel";
    setup.info.client = "meter-" + std::to_string(unit);
    setup.info.unit = unit;
    setup.info.poll_interval = every;
    modbus::PointSpec spec;
    spec.type = modbus::DataType::float32;
    spec.count = 2;
    setup.points.push_back({"voltage_l1", "V", {Space::holding, 0, 2}, spec, {}});
    return setup;
  }

  static Task<void> collect(Workshop& shop) {
    const auto inlet = shop.bus.subscribe("test", 1000);
    for (;;) shop.seen.push_back(*co_await inlet->next());
  }
  static Task<void> keep(LineSource& source) { (void)co_await source.run(); }

  // From now on the log is kept; what is in it so far.
  std::function<std::string()> keep_log() {
    std::string name = "/tmp/lightship-log-XXXXXX";
    const int made = ::mkstemp(name.data());
    auto* const file = std::freopen(name.c_str(), "w+", quiet.get());
    ::close(made);
    ::unlink(name.c_str());
    return [this, file] {
      logbook.flush(true);
      std::fflush(file);
      std::string text(1 << 16, '\0');
      std::string all;
      for (ssize_t got = 0; (got = ::pread(::fileno(file), text.data(), text.size(),
                                           static_cast<off_t>(all.size()))) > 0;)
        all.append(text, 0, static_cast<std::size_t>(got));
      return all;
    };
  }

  // Runs the source so long, then stops it.
  void run(LineSource& source, std::chrono::nanoseconds so_long) {
    TaskGroup group(loop.get_executor());
    group.spawn(collect(*this));
    group.spawn(keep(source));
    clock.advance(so_long);
    group.cancel();
    clock.settle();
  }

  // "230.5 230.5 timeout"
  std::string told() const {
    std::string text;
    for (const auto& readings : seen) {
      for (const auto& reading : readings.readings) {
        if (!text.empty()) text += ' ';
        text += reading.reason == Reason::none ? to_text(reading.value)
                                               : to_string(reading.reason, reading.code);
      }
    }
    return text;
  }
};

}  // namespace lightship::poller
