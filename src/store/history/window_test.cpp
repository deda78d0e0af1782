// Time-weighted windows and what they cover.
#include "store/history/window.h"

#include <gtest/gtest.h>

namespace lightship::history {
namespace {

using namespace std::chrono_literals;

Time at(double seconds) { return Time(std::chrono::microseconds(std::llround(seconds * 1e6))); }

struct Minute {
  Window window;
  Duration hold = 30s;
  void good(double second, double value) {
    window.good(at(second), value, Format::f64, open, hold);
  }
  void bad(double second) { window.bad(at(second), Reason::timeout, 0, hold); }
  std::optional<Rollup> close(double second = 60) {
    Rollup rollup;
    const bool any = window.close(open, at(second), hold, rollup);
    open = at(second);
    return any ? std::optional(rollup) : std::nullopt;
  }
  Time open = at(0);
};

TEST(Window, WeighsEachValueByHowLongItHeld) {
  Minute minute;
  minute.good(0, 10);
  minute.good(15, 20);  // 10 for 15 s, 20 for 15 s, 40 for 30 s
  minute.good(30, 40);
  const auto rollup = minute.close();
  ASSERT_TRUE(rollup);
  EXPECT_DOUBLE_EQ(rollup->avg, (10 * 15 + 20 * 15 + 40 * 30) / 60.0);
  EXPECT_EQ(rollup->min, 10);
  EXPECT_EQ(rollup->max, 40);
  EXPECT_EQ(rollup->last, 40);
  EXPECT_EQ(rollup->count, 3u);
  EXPECT_EQ(rollup->good, 60'000);
}

TEST(Window, DoesNotCoverWhatABadReadingLeavesOpen) {
  Minute minute;
  minute.good(0, 10);
  minute.bad(20);
  minute.good(50, 30);
  const auto rollup = minute.close();
  EXPECT_EQ(rollup->good, 30'000);
  EXPECT_DOUBLE_EQ(rollup->avg, (10 * 20 + 30 * 10) / 30.0);
  EXPECT_EQ(rollup->reason, Reason::timeout);
}

TEST(Window, HoldsAValueIntoTheNextWindowButNotForEver) {
  Minute minute;
  minute.good(45, 7);
  EXPECT_EQ(minute.close()->good, 15'000);
  const auto next = minute.close(120);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->good, 15'000);
  EXPECT_EQ(next->count, 0u);
  EXPECT_EQ(next->min, 7);
  EXPECT_EQ(next->avg, 7);
  EXPECT_FALSE(minute.close(180));
}

TEST(Window, CountsALateValueButGivesItNoTime) {
  Minute minute;
  minute.good(30, 10);
  minute.good(20, 99);
  const auto rollup = minute.close();
  EXPECT_EQ(rollup->count, 2u);
  EXPECT_EQ(rollup->max, 99);
  EXPECT_EQ(rollup->avg, 10);
  EXPECT_EQ(rollup->good, 30'000);
}

TEST(Window, OfSilenceHasAReasonAndNoValue) {
  Minute minute;
  minute.bad(10);
  const auto rollup = minute.close();
  ASSERT_TRUE(rollup);
  EXPECT_FALSE(rollup->has_value());
  EXPECT_EQ(rollup->reason, Reason::timeout);
}

TEST(Window, ClosedTwiceGivesTwoPartsThatMakeOne) {
  Minute minute;
  minute.good(0, 10);
  auto first = minute.close(20);
  minute.good(20, 40);
  const auto second = minute.close(60);
  combine(*first, *second);
  EXPECT_EQ(first->good, 50'000);  // 40 held for 30 s, its limit
  EXPECT_DOUBLE_EQ(first->avg, (10 * 20 + 40 * 30) / 50.0);
}

}  // namespace
}  // namespace lightship::history
