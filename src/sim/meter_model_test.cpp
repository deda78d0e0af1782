// The values are those a supply could have.
#include "sim/meter_model.h"

#include <gtest/gtest.h>

#include "base/manual_clock.h"
#include "codec/modbus/decode_value.h"
#include "sim/meter_map.h"
#include "sim/panel_map.h"

namespace lightship::sim {
namespace {

using namespace std::chrono_literals;

constexpr Time kMorning = std::chrono::sys_days(std::chrono::year(2026) / 1 / 5) + 9h;

TEST(MeterModel, StaysWithinWhatASupplyDoes) {
  MeterModel meter({.full_current = 40});
  for (Time now = kMorning; now < kMorning + 24h; now += 97s) {
    const auto& supply = meter.at(now);
    for (const auto& phase : supply.phases) {
      EXPECT_GT(phase.voltage, 222);
      EXPECT_LT(phase.voltage, 238);
      EXPECT_GT(phase.current, 0);
      EXPECT_LT(phase.current, 60);
      EXPECT_LT(phase.power_factor, 1);
    }
    EXPECT_NEAR(supply.frequency, 50, 0.05);
    EXPECT_NEAR(supply.voltage_between(), supply.voltage() * 1.732, 2);
  }
}

TEST(MeterModel, MovesSlowly) {
  MeterModel meter({.full_current = 40});
  Supply before = meter.at(kMorning);
  for (Time now = kMorning; now < kMorning + 10min; now += 200ms) {
    const auto& supply = meter.at(now);
    EXPECT_LT(std::abs(supply.phases[0].voltage - before.phases[0].voltage), 0.5);
    EXPECT_LT(std::abs(supply.phases[0].current - before.phases[0].current), 3);
    before = supply;
  }
}

TEST(MeterModel, CountsTheEnergyOfItsPower) {
  MeterModel meter({.full_current = 40, .energy_wh = 1000});
  double before = meter.at(kMorning).energy_wh, watt_seconds = 0;
  EXPECT_EQ(before, 1000);
  for (Time now = kMorning; now < kMorning + 1h;) {
    now += 1s;
    const auto& supply = meter.at(now);
    EXPECT_GE(supply.energy_wh, before);
    before = supply.energy_wh;
    watt_seconds += supply.active_w();
  }
  EXPECT_NEAR(before - 1000, watt_seconds / 3600, watt_seconds / 3600 * 0.001);
}

TEST(MeterModel, SaysTheSameToTheSameTimes) {
  MeterModel one({.seed = 5}), other({.seed = 5}), third({.seed = 6});
  EXPECT_EQ(one.at(kMorning).phases[2].current, other.at(kMorning).phases[2].current);
  EXPECT_NE(one.at(kMorning).phases[2].current, third.at(kMorning).phases[2].current);
}

double float_at(modbus::DataMap& map, std::uint16_t address) {
  std::array<std::uint16_t, 2> registers{};
  EXPECT_TRUE(map.serves(modbus::Space::holding_registers, address, 2));
  EXPECT_FALSE(map.read(modbus::Space::holding_registers, address, registers));
  const modbus::PointSpec spec{.type = modbus::DataType::float32,
                               .order = modbus::ByteOrder::little_swap};
  return as_double(modbus::decode(spec, registers).value);
}

class Stopped : public ::testing::Test {
 protected:
  asio::io_context loop;
  ManualClock clock{loop};
};
using MeterMapTest = Stopped;
using PanelMapTest = Stopped;

TEST_F(MeterMapTest, HasThePlacesOfAnEm6400) {
  MeterMap map(MeterFamily::schneider_em6400, {.full_current = 40, .energy_wh = 1'234'567}, clock);
  double total = 0;
  for (const std::uint16_t at : {3916, 3930, 3944}) {
    EXPECT_NEAR(float_at(map, at + 2),
                float_at(map, at + 10) * float_at(map, at + 12) * float_at(map, at + 6), 1);
    total += float_at(map, at + 2);
  }
  EXPECT_NEAR(float_at(map, 3902), total, 1);
  EXPECT_NEAR(float_at(map, 3910), 230, 8);
  EXPECT_NEAR(float_at(map, 3914), 50, 0.1);
  EXPECT_EQ(float_at(map, 3960), 1'234'567);
  EXPECT_FALSE(map.serves(modbus::Space::holding_registers, 3999, 2));
  EXPECT_FALSE(map.serves(modbus::Space::input_registers, 3902, 2));
}

TEST_F(MeterMapTest, HasThePlacesOfAnLg5310) {
  MeterMap map(MeterFamily::elmeasure_lg5310, {.energy_wh = 98'765.5}, clock);
  EXPECT_NEAR(float_at(map, 100), float_at(map, 102) + float_at(map, 104) + float_at(map, 106), 1);
  EXPECT_NEAR(float_at(map, 142), 230, 8);
  EXPECT_EQ(float_at(map, 158), 98'765.5);
  clock.advance(90s);
  std::array<std::uint16_t, 2> on_time{};
  (void)map.read(modbus::Space::holding_registers, 230, on_time);
  EXPECT_EQ(on_time[0] << 16 | on_time[1], 4321 * 3600 + 90);
}

TEST_F(PanelMapTest, HoldsItsTemperatureNearTheSetPoint) {
  PanelMap map({.set_point = 62}, clock);
  for (int i = 0; i < 100; ++i, clock.advance(7s)) {
    std::array<std::uint16_t, 4> registers{};
    (void)map.read(modbus::Space::holding_registers, 0, registers);
    EXPECT_NEAR(registers[0] / 10.0, 62, 3);
    EXPECT_EQ(registers[3] == 0, !map.coils[0]);
    EXPECT_FALSE(map.coils[0] && map.coils[1]) << "running with a fault";
  }
}

}  // namespace
}  // namespace lightship::sim
