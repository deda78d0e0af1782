// A line of 32 units of which one is dead, one slow and one talks over others: who gets how much.
#include <gtest/gtest.h>

#include "sources/modbus/testing/simulated_bus.h"

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;

struct BusyLine {
  Workshop shop;
  SimulatedBus bus{shop};
  std::vector<DeviceSetup> meters;

  void add(int units, Duration every) {
    for (int i = 0; i < units; ++i) {
      const int unit = static_cast<int>(meters.size()) + 1;
      bus[unit];
      meters.push_back(SimulatedBus::meter(unit, every, {0, 1, 2, 3, 4, 5, 6, 7}));
    }
  }
  std::uint64_t counted(const char* name, int unit, Labels more = {}) {
    Labels labels{{"device", "panel/meter-" + std::to_string(unit)}};
    std::ranges::move(more, std::back_inserter(labels));
    return shop.metrics.counter(name, "", labels).value;
  }
  // Of the line's time, in per cent.
  double wasted_on(int unit, Duration whole) {
    return 100.0 * static_cast<double>(counted("modbus_wasted_microseconds_total", unit)) /
           static_cast<double>(whole.count());
  }
  std::size_t good_of(int unit) const {
    std::size_t good = 0;
    const auto id = shop.catalog.find_device("panel/meter-" + std::to_string(unit));
    for (const auto& readings : shop.seen) good += readings.device == *id && readings.online;
    return good;
  }
  void run(Duration so_long) {
    LineSource line(shop.context, bus.line(meters));
    shop.run(line, so_long);
  }
};

TEST(BusyLine, OneDeadOf32CostsLessThan3PerCent) {
  BusyLine line;
  line.add(32, 5s);
  line.bus[7].dead = true;
  line.run(10min);
  EXPECT_GT(line.wasted_on(7, 10min), 0.1);
  EXPECT_LT(line.wasted_on(7, 10min), 3);
  for (const int unit : {1, 8, 32}) {
    EXPECT_EQ(line.good_of(unit), 120u) << unit;
    EXPECT_EQ(line.counted("modbus_overruns_total", unit), 0u) << unit;
  }
}

TEST(BusyLine, ADeadDeviceCostsLittleFromTheFirstMinuteOn) {
  BusyLine line;
  line.add(32, 5s);
  line.bus[7].dead = true;
  line.run(1min);
  EXPECT_LT(line.wasted_on(7, 1min), 3);
}

// Whether they were never there, or died, and whatever the hour.
TEST(BusyLine, SeveralDeadOnesTogetherCostLessThan3PerCentAfterTheFirstMinute) {
  for (const std::vector<int>& dead :
       {std::vector{3, 4, 9, 20, 31}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}) {
    for (const bool were_there : {false, true}) {
      BusyLine line;
      line.add(32, 5s);
      LineSource source(line.shop.context, line.bus.line(line.meters));
      TaskGroup group(line.shop.loop.get_executor());
      group.spawn(Workshop::keep(source));
      const auto wasted = [&] {
        double sum = 0;
        for (int unit = 1; unit <= 32; ++unit) sum += line.wasted_on(unit, 1min);
        return sum;
      };
      if (were_there) line.shop.clock.advance(1min);
      for (const int unit : dead) line.bus[unit].dead = true;
      line.shop.clock.advance(1min);
      const auto at_first = wasted();
      line.shop.clock.advance(30min);
      EXPECT_LT((wasted() - at_first) / 30, 3) << dead.size();
      group.cancel();
      line.shop.clock.settle();
    }
  }
}

TEST(BusyLine, ADeviceThatDiesCostsLittleAndIsFoundAgain) {
  BusyLine line;
  line.add(32, 5s);
  LineSource source(line.shop.context, line.bus.line(line.meters));
  TaskGroup group(line.shop.loop.get_executor());
  group.spawn(Workshop::keep(source));
  group.spawn(Workshop::collect(line.shop));
  line.shop.clock.advance(1min);
  EXPECT_EQ(line.wasted_on(7, 1min), 0);
  line.bus[7].dead = true;
  line.shop.clock.advance(10min);
  EXPECT_LT(line.wasted_on(7, 10min), 3);
  const auto before = line.good_of(7);
  line.bus[7].dead = false;
  line.shop.clock.advance(2min);
  EXPECT_GT(line.good_of(7), before + 5);
  group.cancel();
  line.shop.clock.settle();
}

// How long it takes until all of them are found is what 2.7 % of the line allow.
TEST(BusyLine, DevicesThatReturnAreFoundInBoundedTime) {
  for (const auto& [dead, within] : {std::pair{1, 15s}, {4, 45s}, {6, 60s}, {16, 150s}}) {
    BusyLine line;
    line.add(32, 5s);
    LineSource source(line.shop.context, line.bus.line(line.meters));
    TaskGroup group(line.shop.loop.get_executor());
    group.spawn(Workshop::keep(source));
    line.shop.clock.advance(1min);
    for (int unit = 1; unit <= dead; ++unit) line.bus[unit].dead = true;
    line.shop.clock.advance(63min);
    for (int unit = 1; unit <= dead; ++unit) line.bus[unit].dead = false;
    line.shop.clock.advance(within);
    for (int unit = 1; unit <= dead; ++unit) {
      const auto id = *line.shop.catalog.find_device(fmt::format("panel/meter-{}", unit));
      const auto& state = line.shop.cache.point(line.shop.catalog.points(id)[0]);
      EXPECT_EQ(state.reason, Reason::none) << unit << " of " << dead;
    }
    group.cancel();
    line.shop.clock.settle();
  }
}

Task<void> asks_for_ever(LineSource& source, DeviceId device, std::size_t& answered) {
  for (;;) {
    const auto got = co_await source.read_registers(device, Space::holding, 0, 100, 5s);
    answered += got ? 1 : 0;
  }
}

TEST(BusyLine, TwoWhoAskWithoutPauseStopNoPolls) {
  BusyLine line;
  line.add(4, 5s);
  LineSource source(line.shop.context, line.bus.line(line.meters));
  TaskGroup group(line.shop.loop.get_executor());
  group.spawn(Workshop::keep(source));
  group.spawn(Workshop::collect(line.shop));
  line.shop.clock.advance(1s);
  std::size_t answered = 0;
  const auto id = *line.shop.catalog.find_device("panel/meter-1");
  for (int i = 0; i < 2; ++i) group.spawn(asks_for_ever(source, id, answered));
  line.shop.clock.advance(59s);
  EXPECT_GT(answered, 100u);
  for (const int unit : {1, 2, 3, 4}) EXPECT_GE(line.good_of(unit), 9u) << unit;
  group.cancel();
  line.shop.clock.settle();
}

TEST(BusyLine, ARequestForASilentDeviceHoldsNobodyUp) {
  BusyLine line;
  line.add(4, 5s);
  line.bus[2].dead = true;
  LineSource source(line.shop.context, line.bus.line(line.meters));
  TaskGroup group(line.shop.loop.get_executor());
  group.spawn(Workshop::keep(source));
  line.shop.clock.advance(3min);
  const auto before = line.bus[2].asked.size();
  std::optional<Result<ByteVector>> got;
  const auto ask = [](LineSource& from, DeviceId device, auto& into) -> Task<void> {
    into = co_await from.read_registers(device, Space::holding, 0, 1, 5s);
  };
  group.spawn(ask(source, *line.shop.catalog.find_device("panel/meter-2"), got));
  line.shop.clock.advance(1ms);
  ASSERT_TRUE(got.has_value());
  ASSERT_FALSE(*got);
  EXPECT_EQ(got->error().code, Errc::timeout);
  EXPECT_TRUE(got->error().text.starts_with("the device is silent since")) << got->error().text;
  EXPECT_EQ(line.bus[2].asked.size(), before);
  group.cancel();
  line.shop.clock.settle();
}

TEST(BusyLine, ANudgeProbesASilentDeviceAtOnce) {
  BusyLine line;
  line.add(4, 5s);
  line.bus[2].dead = true;
  LineSource source(line.shop.context, line.bus.line(line.meters));
  TaskGroup group(line.shop.loop.get_executor());
  group.spawn(Workshop::keep(source));
  line.shop.clock.advance(3min);
  const auto before = line.bus[2].asked.size();
  const auto when = line.shop.clock.mono();
  source.nudge();
  line.shop.clock.advance(1s);
  ASSERT_EQ(line.bus[2].asked.size(), before + 1);
  EXPECT_LT(line.bus[2].asked.back() - when, 300ms);
  group.cancel();
  line.shop.clock.settle();
}

TEST(BusyLine, IsProbedWithGrowingDistanceUpToALimit) {
  BusyLine line;
  line.add(3, 5s);
  line.bus[2].dead = true;
  line.run(60min);
  const auto& asked = line.bus[2].asked;
  ASSERT_GT(asked.size(), 10u);
  EXPECT_LE(asked[1] - asked[0], 60s);
  for (std::size_t i = 1; i < asked.size(); ++i) EXPECT_LE(asked[i] - asked[i - 1], 10min + 5s);
}

TEST(BusyLine, ASlowOneDoesNotStarveTheOthers) {
  BusyLine line;
  line.add(32, 1s);  // 32 polls of some 50 ms do not fit a second
  line.bus[5].answer_time = 900ms;
  line.run(5min);
  std::size_t least = SIZE_MAX, most = 0;
  for (int unit = 1; unit <= 32; ++unit) {
    if (unit == 5) continue;
    least = std::min(least, line.good_of(unit));
    most = std::max(most, line.good_of(unit));
  }
  // Each has the same part of the line's time, and so nearly the same number of polls.
  EXPECT_GT(least, 190u);
  EXPECT_LT(most - least, most / 10);
  EXPECT_GT(line.good_of(5), 4u);
  EXPECT_GT(line.counted("modbus_overruns_total", 1), 0u);
}

TEST(BusyLine, AQuickPollerDoesNotStarveAPatientOne) {
  BusyLine line;
  line.add(2, 20ms);
  line.meters.push_back(SimulatedBus::meter(3, 10s, {0}));
  line.bus[3];
  line.run(2min);
  EXPECT_EQ(line.good_of(3), 12u);
}

TEST(BusyLine, OneThatTalksOverOthersIsCountedAndSurvived) {
  BusyLine line;
  line.add(8, 5s);
  line.bus[4].talks_over_others = true;
  line.run(1min);
  for (int unit = 1; unit <= 8; ++unit) EXPECT_EQ(line.good_of(unit), 12u) << unit;
  EXPECT_GT(line.counted("modbus_foreign_total", 1, {{"kind", "foreign"}}), 10u);
}

// Dead, slow and talking at once: the other 29 keep their interval.
TEST(BusyLine, KeepsTheOthersOnTime) {
  BusyLine line;
  line.add(32, 5s);
  line.bus[7].dead = true;
  line.bus[12].answer_time = 400ms;
  line.bus[20].talks_over_others = true;
  line.run(10min);
  for (int unit = 1; unit <= 32; ++unit) {
    if (unit == 7) continue;
    EXPECT_GE(line.good_of(unit), 119u) << unit;
  }
  EXPECT_LT(line.wasted_on(7, 10min), 3);
}

TEST(BusyLine, FollowsADeviceThatIsSlowAndThenFast) {
  BusyLine line;
  line.add(2, 1s);
  line.bus[1].answer_time = 450ms;
  LineSource source(line.shop.context, line.bus.line(line.meters));
  TaskGroup group(line.shop.loop.get_executor());
  group.spawn(Workshop::keep(source));
  line.shop.clock.advance(20s);
  const auto timeout = [&] {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    source.describe_status(json);
    json.end_object();
    const auto at = text.find("\"timeout_ms\":");
    return std::stod(text.substr(at + 13));
  };
  EXPECT_GT(timeout(), 1700);
  line.bus[1].answer_time = 20ms;
  line.shop.clock.advance(5min);
  EXPECT_LT(timeout(), 250);
  group.cancel();
  line.shop.clock.settle();
}

}  // namespace
}  // namespace lightship::poller
