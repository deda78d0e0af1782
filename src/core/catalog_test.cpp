// Devices and points by name.
#include "core/catalog.h"

#include <gtest/gtest.h>

namespace lightship {
namespace {

DeviceInfo meter(std::string name) { return {.connection = "main", .client = std::move(name)}; }

TEST(Catalog, FindsEveryPointByItsNameWhateverTheOrderTheyCameIn) {
  Catalog catalog;
  const auto first = catalog.device(meter("one"));
  const auto second = catalog.device(meter("two"));
  const std::vector<std::string> names{"voltage", "a", "power", "zero", "frequency", "aa", ""};
  for (const auto& name : names) {
    catalog.point(first, name, "V");
    catalog.point(second, name + "_2");
  }
  for (const auto& name : names) {
    const auto found = catalog.find_point("main/one/" + name);
    ASSERT_TRUE(found) << name;
    EXPECT_EQ(catalog.full_name(*found), "main/one/" + name);
    EXPECT_FALSE(catalog.find_point("main/two/" + name));
    EXPECT_TRUE(catalog.find_point("main/two/" + name + "_2"));
  }
  EXPECT_FALSE(catalog.find_point("main/one/volt"));
  EXPECT_FALSE(catalog.find_point("main/three/voltage"));
}

TEST(Catalog, KeepsTheNumberOfAPointThatIsNamedAgain) {
  Catalog catalog;
  const auto device = catalog.device(meter("one"));
  const auto voltage = catalog.point(device, "voltage", "V");
  catalog.point(device, "current", "A");
  EXPECT_EQ(catalog.point(device, "voltage", "kV"), voltage);
  EXPECT_EQ(catalog.info(voltage).unit, "kV");
  EXPECT_EQ(catalog.points(device).size(), 2u);
}

TEST(Catalog, PointsOfTheSameNameAndUnitShareTheirText) {
  Catalog catalog;
  const auto one = catalog.device({.connection = "line", .client = "one"});
  const auto two = catalog.device({.connection = "line", .client = "two"});
  const auto& a = catalog.info(catalog.point(one, "voltage_l1", "V"));
  const auto& b = catalog.info(catalog.point(two, std::string("voltage_") + "l1", "V"));

  EXPECT_EQ(&a.name.str(), &b.name.str());
  EXPECT_EQ(&a.unit.str(), &b.unit.str());
  EXPECT_EQ(a.name, "voltage_l1");
  EXPECT_TRUE(catalog.info(catalog.point(one, "state")).unit.empty());
}

}  // namespace
}  // namespace lightship
