// The demo site starts, has its addresses and ends.
#include "sim/site.h"

#include <gtest/gtest.h>

namespace lightship::sim {
namespace {

TEST(Site, StartsAndStops) {
  Site site;
  const auto addresses = site.start();
  ASSERT_TRUE(addresses) << addresses.error().text;
  EXPECT_TRUE(std::filesystem::exists(addresses->line));
  EXPECT_NE(addresses->panel, addresses->pump);
  site.stop();
  EXPECT_FALSE(std::filesystem::exists(addresses->line));
}

TEST(Site, NeedNotStart) { Site site; }

}  // namespace
}  // namespace lightship::sim
