// What is true now.
#include "core/cache.h"

#include <gtest/gtest.h>

namespace lightship {
namespace {

using namespace std::chrono_literals;

struct Shop {
  Catalog catalog;
  Cache cache{catalog};
  DeviceId meter = catalog.device({.connection = "main", .client = "meter"});
  PointId voltage = catalog.point(meter, "voltage", "V"), state = catalog.point(meter, "state");

  Shop() { catalog.set_points(meter, {voltage, state}); }
  void told(std::vector<Reading> readings, Duration at) {
    Readings event;
    event.device = meter;
    event.at = Time(at);
    event.readings = std::move(readings);
    cache.apply(event);
  }
};

TEST(Cache, HoldsTheNewestValueOfEachPointInWhateverOrderTheyAreTold) {
  Shop shop;
  shop.told({{shop.voltage, Real{230.5}}, {shop.state, std::string("on")}}, 1s);
  shop.told({{shop.state, std::string("off")}, {shop.voltage, Real{231.5, 1}}}, 2s);
  EXPECT_EQ(shop.cache.point(shop.voltage).value, Value(Real{231.5, 1}));
  EXPECT_EQ(shop.cache.point(shop.state).value, Value(std::string("off")));
  shop.told({{shop.voltage, std::uint64_t{7}}}, 3s);  // another kind of value
  EXPECT_EQ(shop.cache.point(shop.voltage).value, Value(std::uint64_t{7}));
  EXPECT_EQ(shop.cache.point(shop.state).at, Time(2s));
}

TEST(Cache, KeepsTheLastGoodValueAsLongAsThereIsNone) {
  Shop shop;
  shop.told({{shop.voltage, Real{230.5}}}, 1s);
  EXPECT_EQ(shop.cache.point(shop.voltage).last_good, nullptr);
  shop.told({{shop.voltage, Value(), Reason::timeout}}, 2s);
  shop.told({{shop.voltage, Value(), Reason::crc}}, 3s);
  const auto& point = shop.cache.point(shop.voltage);
  EXPECT_FALSE(has_value(point.value));
  EXPECT_EQ(point.reason, Reason::crc);
  ASSERT_NE(point.last_good, nullptr);
  EXPECT_EQ(point.last_good->value, Value(Real{230.5}));
  EXPECT_EQ(point.last_good->at, Time(1s));
  shop.told({{shop.voltage, Real{231}}}, 4s);
  EXPECT_EQ(shop.cache.point(shop.voltage).last_good, nullptr);
}

TEST(Cache, KnowsNoGoodValueOfAPointThatNeverHadOne) {
  Shop shop;
  shop.told({{shop.voltage, Value(), Reason::timeout}}, 1s);
  EXPECT_EQ(shop.cache.point(shop.voltage).last_good, nullptr);
}

}  // namespace
}  // namespace lightship
