// When a device is sent.
#include "core/feeds.h"

#include <gtest/gtest.h>

#include "base/manual_clock.h"

namespace lightship {
namespace {

using namespace std::chrono_literals;

struct Plant {
  asio::io_context loop;
  ManualClock clock{loop};
  Catalog catalog;
  Cache cache{catalog};
  DeviceId meter = add("meter", {true, 10s, false, 0});
  PointId volts = catalog.point(meter, "voltage_l1", "V");
  Feeds feeds{catalog, cache, clock,
              [](const DeviceInfo& info) { return info.http.enabled ? &info.http : nullptr; }};
  std::vector<long> sent;  // seconds since the beginning
  MonoTime begin = clock.mono();

  DeviceId add(const char* name, Publishing http) {
    DeviceInfo info;
    info.connection = "main";
    info.client = name;
    info.http = http;
    return catalog.device(std::move(info));
  }
  bool hear(double value) {
    Readings readings;
    readings.device = meter;
    readings.online = true;
    readings.readings = {{volts, Real{value}, Reason::none, 0}};
    cache.apply(readings);
    return feeds.heard(meter);
  }
  MonoTime serve() {
    return feeds.serve([this](DeviceId, Duration) {
      sent.push_back(
          std::chrono::duration_cast<std::chrono::seconds>(clock.mono() - begin).count());
    });
  }
  void pass(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      clock.advance(1s);
      serve();
    }
  }
};

TEST(Feeds, SendADeviceAsSoonAsThereIsNewsAndThenAtItsInterval) {
  Plant plant;
  plant.feeds.refresh();
  plant.pass(3);
  EXPECT_TRUE(plant.hear(230));
  plant.pass(25);
  EXPECT_EQ(plant.sent, (std::vector<long>{4, 13, 23}));
}

TEST(Feeds, SendASilentDeviceToo) {
  Plant plant;
  plant.feeds.refresh();
  plant.pass(21);
  EXPECT_EQ(plant.sent, (std::vector<long>{10, 20}));
}

TEST(Feeds, SendOnceWhatIsOverdueAndKeepTheRhythm) {
  Plant plant;
  plant.feeds.refresh();
  plant.clock.advance(35s);
  EXPECT_EQ(plant.serve(), plant.begin + 40s);
  plant.pass(6);
  EXPECT_EQ(plant.sent, (std::vector<long>{35, 40}));
}

TEST(Feeds, SendOnChangeOnlyWhatMovedByMoreThanTheDeadBand) {
  Plant plant;
  plant.add("meter", {true, 100s, true, 0.5});
  plant.feeds.refresh();
  plant.hear(230);
  plant.serve();
  EXPECT_FALSE(plant.hear(230.5));
  EXPECT_TRUE(plant.hear(230.6));
  plant.serve();
  EXPECT_FALSE(plant.hear(230.2));
}

TEST(Feeds, LeaveOutWhoIsNotSentByThisSink) {
  Plant plant;
  plant.add("silent", {false, 10s, false, 0});
  plant.feeds.refresh();
  EXPECT_EQ(plant.feeds.size(), 1u);
}

TEST(Feeds, GoOnWhereTheyWereAfterARefresh) {
  Plant plant;
  plant.feeds.refresh();
  plant.hear(230);
  plant.serve();
  plant.pass(7);
  plant.add("meter", {true, 5s, false, 0});
  plant.feeds.refresh();
  plant.pass(9);
  EXPECT_EQ(plant.sent, (std::vector<long>{0, 10, 15}));
}

}  // namespace
}  // namespace lightship
