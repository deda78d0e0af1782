// Several intervals in one device; alarms first; relay panels.
#include "sources/modbus/poll_groups.h"

#include <gtest/gtest.h>

#include "core/measurement.h"
#include "sources/modbus/testing/simulated_bus.h"

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;

DevicePoint point(int address, Duration interval = {}, Space space = Space::holding,
                  bool alarm = false) {
  return {"p" + std::to_string(address),
          "",
          {space, static_cast<std::uint16_t>(address), 1},
          {},
          {},
          {},
          nullptr,
          interval,
          alarm};
}

std::size_t asked(const SimulatedDevice& device, int first) {
  return static_cast<std::size_t>(std::ranges::count(device.firsts, first));
}

TEST(PollGroups, PutAlarmsFirstThenQuickOnes) {
  auto setup = Workshop::meter(1, 10s);
  setup.points = {point(0), point(1, 1h), point(2, 1s), point(3), point(4, {}, Space::coils, true)};
  std::string told;
  for (const auto& group : group_points(setup)) {
    told += fmt::format("{}{}s:", group.alarm ? "!" : "", group.interval / 1s);
    for (const auto place : group.points) told += fmt::format("{} ", setup.points[place].name);
  }
  EXPECT_EQ(told, "!10s:p4 1s:p2 10s:p0 p3 3600s:p1 ");
}

TEST(PollGroups, EachKeepsItsOwnInterval) {
  Workshop shop;
  SimulatedBus bus(shop);
  auto meter = SimulatedBus::meter(1, 10s, {});
  meter.points = {point(0), point(50, 1s), point(100, 30s)};
  LineSource line(shop.context, bus.line({meter}));
  bus[1];
  shop.run(line, 59500ms);
  EXPECT_EQ(asked(bus[1], 0), 6u);
  EXPECT_EQ(asked(bus[1], 50), 60u);
  EXPECT_EQ(asked(bus[1], 100), 2u);
}

TEST(PollGroups, ToldOnlyWhatWasRead) {
  Workshop shop;
  SimulatedBus bus(shop);
  auto meter = SimulatedBus::meter(1, 10s, {});
  meter.points = {point(0), point(50, 1s)};
  bus[1].map->holding[50] = 7;
  LineSource line(shop.context, bus.line({meter}));
  shop.run(line, 4500ms);
  ASSERT_EQ(shop.seen.size(), 6u);
  for (const auto& readings : shop.seen) EXPECT_EQ(readings.readings.size(), 1u);
}

TEST(PollGroups, AreAllReadAtOnceWhenASilentDeviceReturns) {
  Workshop shop;
  SimulatedBus bus(shop);
  auto meter = SimulatedBus::meter(1, 1s, {});
  meter.points = {point(0), point(50, 1h)};
  bus[1].dead = true;
  LineSource line(shop.context, bus.line({meter}));
  TaskGroup group(shop.loop.get_executor());
  group.spawn(Workshop::keep(line));
  shop.clock.advance(1min);
  const auto state = [&](const char* name) {
    return to_string(shop.cache.point(*shop.catalog.find_point(name)).reason, 0);
  };
  EXPECT_EQ(state("panel/meter-1/p50"), "timeout");
  bus[1].dead = false;
  shop.clock.advance(15s);
  EXPECT_EQ(state("panel/meter-1/p0"), "none");
  EXPECT_EQ(state("panel/meter-1/p50"), "none");
  group.cancel();
  shop.clock.settle();
}

TEST(PollGroups, APointIsStaleByItsOwnInterval) {
  Workshop shop;
  SimulatedBus bus(shop);
  auto meter = SimulatedBus::meter(1, 1s, {});
  meter.points = {point(0), point(50, 1h)};
  bus[1];
  LineSource line(shop.context, bus.line({meter}));
  shop.run(line, 1s);
  shop.clock.advance(10min);  // nobody polls any more
  const auto told =
      compose(Shape::grouped, "site", shop.catalog, shop.cache, DeviceId{0}, shop.clock);
  EXPECT_NE(told.at(0).open_json.find(R"("errors":{"p0":"stale"})"), std::string::npos)
      << told.at(0).open_json;
}

// Another device holds the line when both are due: the alarm goes before what was due earlier.
TEST(Alarms, GoBeforeOtherPolls) {
  Workshop shop;
  SimulatedBus bus(shop);
  std::vector<DeviceSetup> meters;
  for (int unit = 1; unit <= 4; ++unit) {
    meters.push_back(SimulatedBus::meter(unit, 10s, {0, 60}));
    bus[unit].answer_time = 100ms;
  }
  meters.push_back(SimulatedBus::meter(5, 10s, {}));
  meters.back().points = {point(0), point(3, {}, Space::discrete_inputs, true)};
  LineSource line(shop.context, bus.line(meters));
  bus[5];
  shop.run(line, 5s);
  ASSERT_EQ(bus[5].asked.size(), 2u);
  // Only what was under way when it became due was before it.
  EXPECT_EQ(bus[5].firsts[0], 3);
  for (int unit = 2; unit <= 4; ++unit) EXPECT_LT(bus[5].asked[0], bus[unit].asked[0]) << unit;
}

TEST(Alarms, DoNotStarveAnybody) {
  Workshop shop;
  SimulatedBus bus(shop);
  auto alarms = SimulatedBus::meter(1, 10ms, {});
  alarms.points = {point(3, {}, Space::coils, true)};
  bus[1], bus[2];
  LineSource line(shop.context, bus.line({alarms, SimulatedBus::meter(2, 10s, {0})}));
  shop.run(line, 10min);
  EXPECT_GE(bus[2].asked.size(), 6u);
}

TEST(RelayPanel, ReadsCoilsAndDiscreteInputs) {
  Workshop shop;
  SimulatedBus bus(shop);
  auto panel = SimulatedBus::meter(1, 5s, {});
  for (int i = 0; i < 12; ++i) {
    panel.points.push_back(point(i, {}, Space::coils));
    panel.points.own().back().name = fmt::format("relay_{}", i);
  }
  for (int i = 0; i < 9; ++i) {
    panel.points.push_back(point(100 + i, {}, Space::discrete_inputs));
    panel.points.own().back().name = fmt::format("input_{}", i);
  }
  bus[1].map->coils[0] = bus[1].map->coils[11] = true;
  bus[1].map->discrete_inputs[108] = true;
  LineSource line(shop.context, bus.line({panel}));
  shop.run(line, 1s);
  EXPECT_EQ(shop.told(),
            "true false false false false false false false false false false true "
            "false false false false false false false false true");
  EXPECT_EQ(bus[1].asked.size(), 2u);
}

TEST(RelayPanel, LearnsTheCoilsThatAreNotThere) {
  Workshop shop;
  SimulatedBus bus(shop);
  bus[1].map = std::make_shared<modbus::MemoryMap>(8);
  auto panel = SimulatedBus::meter(1, 5s, {});
  for (int i = 0; i < 10; ++i) panel.points.push_back(point(i, {}, Space::coils));
  LineSource line(shop.context, bus.line({panel}));
  shop.run(line, 1s);
  EXPECT_EQ(shop.told(), "false false false false false false false false exception_2 exception_2");
}

}  // namespace
}  // namespace lightship::poller
