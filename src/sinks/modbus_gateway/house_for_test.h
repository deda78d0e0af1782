// A small house for the gateway's tests: a catalog, a cache and a clock, and devices to put in.
#pragma once

#include <cstdio>

#include <boost/asio/io_context.hpp>

#include "base/hex.h"
#include "base/manual_clock.h"
#include "core/context.h"

namespace lightship::gateway {

struct House {
  ~House() { std::fclose(nowhere); }

  // Holding registers 100-103 and 110-111, input register 100, coils 0-9; nothing is read yet.
  DeviceId meter(std::string connection = "main-panel", std::string client = "meter-1") {
    const auto id =
        catalog.device({.connection = std::move(connection), .client = std::move(client)});
    cache.image(id).declare({{Space::holding, 100, 4},
                             {Space::holding, 104, 1},
                             {Space::holding, 110, 2},
                             {Space::holding, 65534, 2},
                             {Space::input, 100, 1},
                             {Space::coils, 0, 10}});
    return id;
  }
  void read(DeviceId id, Space space, std::uint16_t first, std::uint16_t count,
            std::string_view data) {
    cache.image(id).store(space, first, count, hex(data), clock.mono());
  }

  asio::io_context loop{1};
  ManualClock clock{loop};
  std::FILE* nowhere = std::fopen("/dev/null", "w");
  Logbook book{clock, nowhere, Logbook::Form::text, Level::error};
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
      loop.get_executor(), clock, book,      catalog, cache, bus, metrics, progress, owners, alerts,
      clock_watch,         files, heirlooms, "site",  {},    {}};
};

}  // namespace lightship::gateway
