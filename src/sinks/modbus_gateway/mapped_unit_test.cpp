// Points laid into registers: what is encoded, and what has no value to give.
#include <gtest/gtest.h>

#include "base/hex.h"
#include "config/from_text.h"
#include "sinks/modbus_gateway/house_for_test.h"
#include "sinks/modbus_gateway/unit.h"

namespace lightship::gateway {
namespace {

using namespace std::chrono_literals;

struct Shelf {
  explicit Shelf(std::string_view map) {
    auto read = config::from_text<GatewayConfig>(map);
    EXPECT_EQ(read.mistakes, "");
    units.emplace(house.catalog, house.cache, std::vector<Exposed>{}, read.value);
  }
  void say(PointId point, Value value, Reason reason = Reason::none) {
    house.cache.apply({.device = meter,
                       .at = house.clock.now(),
                       .arrived = house.clock.mono(),
                       .online = reason == Reason::none,
                       .readings = {{point, std::move(value), reason, 0}}});
  }
  std::string read(std::uint16_t first, std::uint16_t count, Space space = Space::holding) {
    ByteVector out;
    switch (units->find(200)->read(space, first, count, house.clock.mono(), out)) {
      case Outcome::ok:
        return to_hex(out);
      case Outcome::not_polled:
        return out.empty() ? "not polled" : "left bytes";
      case Outcome::not_fresh:
        return out.empty() ? "not fresh" : "left bytes";
    }
    return "";
  }

  House house;
  DeviceId meter = house.meter();
  PointId voltage = house.catalog.point(meter, "voltage");
  std::optional<Units> units;
};

TEST(GatewayMap, AValueIsAFloatUnlessSaidOtherwise) {
  Shelf shelf("map: [{unit: 200, address: 0, point: main-panel/meter-1/voltage}]");
  shelf.say(shelf.voltage, Real{230.25});
  EXPECT_EQ(shelf.read(0, 2), "43 66 40 00");
  EXPECT_EQ(shelf.read(0, 2, Space::input), "43 66 40 00");
  EXPECT_EQ(shelf.read(1, 1), "40 00");
}

TEST(GatewayMap, TypeAndByteOrderAreAsAsked) {
  Shelf shelf(
      "map:\n"
      "  - {unit: 200, address: 10, point: main-panel/meter-1/voltage, byte_order: little_swap}\n"
      "  - {unit: 200, address: 12, point: main-panel/meter-1/voltage, data_type: uint16}\n");
  shelf.say(shelf.voltage, Real{230.25});
  EXPECT_EQ(shelf.read(10, 3), "40 00 43 66 00 E6");
}

TEST(GatewayMap, ATruthIsOneOrZero) {
  Shelf shelf(
      "map: [{unit: 200, address: 0, point: main-panel/meter-1/voltage, data_type: uint16}]");
  shelf.say(shelf.voltage, true);
  EXPECT_EQ(shelf.read(0, 1), "00 01");
}

TEST(GatewayMap, OnlineOfADeviceIsAPointToo) {
  Shelf shelf("map: [{unit: 200, address: 0, point: main-panel/meter-1/online, data_type: bool}]");
  EXPECT_EQ(shelf.read(0, 1), "not fresh");
  shelf.say(shelf.voltage, Real{1});
  EXPECT_EQ(shelf.read(0, 1), "00 01");
  shelf.say(shelf.voltage, {}, Reason::timeout);
  EXPECT_EQ(shelf.read(0, 1), "00 00");
}

TEST(GatewayMap, WhatIsMissingBadOrOldHasNoNumber) {
  Shelf shelf("map: [{unit: 200, address: 0, point: main-panel/meter-1/voltage}]");
  EXPECT_EQ(shelf.read(0, 2), "not fresh");
  shelf.say(shelf.voltage, Real{230.25}, Reason::out_of_range);
  EXPECT_EQ(shelf.read(0, 2), "not fresh");
  shelf.say(shelf.voltage, Real{230.25});
  shelf.house.clock.advance(180s + 1ms);
  EXPECT_EQ(shelf.read(0, 2), "not fresh");
}

TEST(GatewayMap, AValueThatDoesNotFitItsTypeIsNotGiven) {
  Shelf shelf(
      "map: [{unit: 200, address: 0, point: main-panel/meter-1/voltage, data_type: uint16}]");
  shelf.say(shelf.voltage, Real{70000});
  EXPECT_EQ(shelf.read(0, 1), "not fresh");
}

TEST(GatewayMap, GapsAndBitsAreNotThere) {
  Shelf shelf(
      "map:\n"
      "  - {unit: 200, address: 0, point: main-panel/meter-1/voltage}\n"
      "  - {unit: 200, address: 3, point: main-panel/meter-1/voltage}\n");
  EXPECT_EQ(shelf.read(0, 3), "not polled");
  EXPECT_EQ(shelf.read(4, 2), "not polled");
  EXPECT_EQ(shelf.read(0, 1, Space::coils), "not polled");
}

TEST(GatewayMap, TheAgeCanBeReadWhenTheValueIsTooOld) {
  Shelf shelf(
      "map:\n"
      "  - {unit: 200, address: 0, point: main-panel/meter-1/voltage, field: age_ms}\n"
      "  - {unit: 200, address: 2, point: main-panel/meter-1/voltage, field: age_ms, data_type: "
      "uint16}\n"
      "  - {unit: 200, address: 3, point: main-panel/meter-1/voltage, field: quality}\n");
  EXPECT_EQ(shelf.read(0, 4), "FF FF FF FF FF FF 00 06");
  shelf.say(shelf.voltage, Real{230.25});
  shelf.house.clock.advance(1500ms);
  EXPECT_EQ(shelf.read(0, 4), "00 00 05 DC 05 DC 00 00");
  shelf.house.clock.advance(200s);
  EXPECT_EQ(shelf.read(0, 4), "00 03 13 1C FF FF 00 06");
  shelf.say(shelf.voltage, {}, Reason::exception);
  EXPECT_EQ(shelf.read(3, 1), "00 02");
}

TEST(GatewayMap, AnAgeFitsEveryTypeItMayHave) {
  for (const auto& type : modbus::data_type_names()) {
    if (type == "string" || type == "bit" || type == "bits" || type.contains("int8")) continue;
    SCOPED_TRACE(type);
    Shelf shelf("map: [{unit: 200, address: 0, point: a/b/c, field: age_ms, data_type: " + type +
                (type == "mod10k" ? ", count: 2}]" : "}]"));
    EXPECT_NE(shelf.read(0, 1), "not fresh");
  }
}

TEST(GatewayMap, APointThatIsNamedLaterIsFoundThen) {
  Shelf shelf(
      "map: [{unit: 200, address: 0, point: main-panel/meter-1/current, data_type: int16}]");
  EXPECT_EQ(shelf.read(0, 1), "not fresh");
  shelf.say(shelf.house.catalog.point(shelf.meter, "current"), std::int64_t{-3});
  EXPECT_EQ(shelf.read(0, 1), "FF FD");
}

TEST(GatewayMap, ATextIsPaddedWithNul) {
  Shelf shelf(
      "map: [{unit: 200, address: 0, point: main-panel/meter-1/voltage, data_type: string, count: "
      "3}]");
  shelf.say(shelf.voltage, std::string("abc"));
  EXPECT_EQ(shelf.read(0, 3), "61 62 63 00 00 00");
}

}  // namespace
}  // namespace lightship::gateway
