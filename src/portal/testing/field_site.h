// For tests: a field with a made-up picture, and the rooms that handlers ask. One loop is both.
#pragma once

#include <cstdio>
#include <map>

#include "base/manual_clock.h"
#include "core/context.h"
#include "core/view.h"
#include "portal/views.h"

namespace lightship::portal {

struct FieldSite : Viewed {
  asio::io_context loop{1};
  ManualClock clock{loop};
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> quiet{std::fopen("/dev/null", "w"), &std::fclose};
  Logbook logbook{clock, quiet.get(), Logbook::Form::text, Level::error};
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
      clock_watch,         files, heirlooms, "site",  {},    {},  nullptr, this};
  Field field{context};
  Views views{field, clock};

  View shown;  // what `look` gives
  mutable int looks = 0;
  std::vector<DeviceId> polled;

  void look(View& view) const override {
    ++looks;
    view.services = shown.services;
    view.lines = shown.lines;
    view.devices = shown.devices;
    view.ready = shown.ready;
    view.uptime = shown.uptime;
    view.config_hash = shown.config_hash;
  }
  void look_at_plans(View&) const override {}
  std::optional<PointsView> look_at_points(DeviceId device) const override {
    PointsView view;
    view.device = device;
    view.name = catalog.info(device).id();
    view.at = clock.now();
    for (const auto id : catalog.points(device)) {
      auto& point = view.points.emplace_back();
      point.id = id;
      point.name = std::string_view(catalog.info(id).name);
      point.heard = true;
      point.value = Real{230.1, 1};
      point.interval = std::chrono::seconds(1);
    }
    return view;
  }
  bool poll_now(DeviceId device) override {
    polled.push_back(device);
    return true;
  }

  // A device with one point, in the catalog and in the picture.
  DeviceId device(std::string connection, std::string client) {
    DeviceInfo info;
    info.connection = connection;
    info.client = client;
    const auto id = catalog.device(info);
    catalog.set_points(id, {catalog.point(id, "voltage_l1", "V", {Space::holding, 10, 2})});
    auto& view = shown.devices.emplace_back();
    view.id = id;
    view.name = info.id();
    view.connection = connection;
    view.label = client;
    view.availability.fill(DeviceView::kNoPolls);
    return id;
  }

  // What the task returned, with everything that it set going.
  template <class T>
  T run(Task<T> task) {
    std::optional<T> answer;
    asio::co_spawn(loop, std::move(task), [&](std::exception_ptr why, T value) {
      if (why) std::rethrow_exception(why);
      answer = std::move(value);
    });
    clock.settle();
    return std::move(answer.value());
  }
};

}  // namespace lightship::portal
