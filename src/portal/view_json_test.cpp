// Lists are of one shape wherever they are.
#include "portal/view_json.h"

#include <gtest/gtest.h>

namespace lightship::portal {
namespace {

TEST(ViewJson, EveryListSaysWhetherThereIsMore) {
  const auto points = points_json(PointsView{}, Items::list);
  const auto status = status_json(View{}, "1.2.3", Items::list);
  for (const auto& list : {devices_json(View{}, Items::list), lines_json(View{}), points, status}) {
    ASSERT_TRUE(list.contains("items"));
    EXPECT_TRUE(list.at("items").is_array());
    ASSERT_TRUE(list.contains("next"));
    EXPECT_TRUE(list.at("next").is_null());
  }
}

TEST(ViewJson, WhatIsKeyedIsNoList) {
  EXPECT_FALSE(points_json(PointsView{}, Items::keyed).contains("next"));
  EXPECT_FALSE(status_json(View{}, "1.2.3", Items::keyed).contains("next"));
}

}  // namespace
}  // namespace lightship::portal
