// The search finds the first reason for a refusal in few reads, whatever the reason is.
#include "sources/modbus/hole_search.h"

#include <set>

#include <gtest/gtest.h>

namespace lightship::poller {
namespace {

struct Meter {
  std::set<int> holes;
  int limit = 125;
  int cut = -1;  // what ends before it and what begins there are not read together

  bool serves(std::uint32_t first, std::uint32_t count) const {
    const auto end = static_cast<int>(first + count);
    for (const int hole : holes)
      if (static_cast<int>(first) <= hole && hole < end) return false;
    if (static_cast<int>(first) < cut && cut < end) return false;
    return static_cast<int>(count) <= limit;
  }
};

struct Outcome {
  std::string finding;
  int reads = 0;
};

Outcome look(const Meter& meter, const std::vector<std::pair<int, int>>& points,
             std::uint16_t longest_good = 0) {
  std::vector<PlanPoint> places;
  for (const auto& [address, count] : points)
    places.push_back(
        {Space::holding, static_cast<std::uint16_t>(address), static_cast<std::uint16_t>(count)});
  const auto blocks = plan(places, {.max_gap = 124});
  HoleSearch search(blocks.front(), places, longest_good);
  Outcome outcome;
  while (const auto read = search.next()) {
    ++outcome.reads;
    search.told(meter.serves(read->first, read->count));
  }
  const auto& found = search.finding();
  if (found.hole)
    outcome.finding = fmt::format("{} {}+{}", found.hole->of_points ? "points" : "gap",
                                  found.hole->first, found.hole->count);
  if (found.limit) outcome.finding += fmt::format("limit {}", *found.limit);
  return outcome;
}

std::vector<std::pair<int, int>> every(int step, int count, int size) {
  std::vector<std::pair<int, int>> points;
  for (int i = 0; i < count; ++i) points.emplace_back(i * step, size);
  return points;
}

TEST(HoleSearch, FindsAHoleInAGap) {
  EXPECT_EQ(look({.holes = {6}}, {{0, 2}, {2, 2}, {8, 2}, {10, 2}}).finding, "gap 4+4");
}

TEST(HoleSearch, FindsAPointThatTheDeviceDoesNotHave) {
  EXPECT_EQ(look({.holes = {3}}, every(2, 10, 2)).finding, "points 2+2");
  EXPECT_EQ(look({.holes = {0}}, every(2, 10, 2)).finding, "points 0+2");
  EXPECT_EQ(look({.holes = {19}}, every(2, 10, 2)).finding, "points 18+2");
}

TEST(HoleSearch, FindsTheOnlyPointWithoutAsking) {
  const auto outcome = look({.holes = {0}}, {{0, 2}});
  EXPECT_EQ(outcome.finding, "points 0+2");
  EXPECT_EQ(outcome.reads, 0);
}

TEST(HoleSearch, TellsALimitFromAHole) {
  EXPECT_EQ(look({.limit = 50}, every(1, 120, 1)).finding, "limit 50");
  EXPECT_EQ(look({.limit = 50}, every(2, 60, 2)).finding, "limit 50");
  EXPECT_EQ(look({.limit = 11}, every(2, 60, 2)).finding, "limit 10");
  EXPECT_EQ(look({.limit = 2}, every(2, 20, 2)).finding, "limit 2");
}

TEST(HoleSearch, FindsTwoPointsThatMayNotBeReadTogether) {
  EXPECT_EQ(look({.cut = 8}, every(2, 10, 2)).finding, "gap 8+0");
}

TEST(HoleSearch, NeedsFewReads) {
  EXPECT_LE(look({.holes = {77}}, every(1, 125, 1)).reads, 9);
  EXPECT_LE(look({.limit = 50}, every(1, 125, 1)).reads, 9);
}

TEST(HoleSearch, TakesPointsOfOneRegisterAsOne) {
  EXPECT_EQ(look({.holes = {5}}, {{0, 1}, {5, 1}, {5, 1}, {6, 1}}).finding, "points 5+1");
}

}  // namespace
}  // namespace lightship::poller
