// A step, a sleep and a wrong clock are told apart.
#include "core/clock_watch.h"

#include <gtest/gtest.h>

#include "base/manual_clock.h"

namespace lightship {
namespace {

using namespace std::chrono_literals;

struct Watch : testing::Test {
  asio::io_context loop;
  ManualClock clock{loop};
  ClockWatch watch{clock, clock.now() - 1h};
};

TEST_F(Watch, SaysNothingWhileTheClocksGoTogether) {
  int told = 0;
  const auto listening = watch.listen([&](const ClockWatch::News&) { ++told; });
  for (int i = 0; i < 100; ++i) {
    clock.advance(1s);
    clock.jump_wall(Duration(500));  // NTP slews
    watch.look();
  }
  EXPECT_EQ(told, 0);
  EXPECT_EQ(watch.steps(), 0u);
}

TEST_F(Watch, TellsAStepWithItsAmountAndBothTimes) {
  clock.advance(1s);
  const auto before = clock.now();
  clock.jump_wall(-90s);
  const auto news = watch.look();
  EXPECT_EQ(news.step, Duration(-90s));
  EXPECT_EQ(news.before, before);
  EXPECT_EQ(news.after, before - 90s);
  EXPECT_EQ(news.suspended, Duration{});
  EXPECT_EQ(watch.look().step, Duration{}) << "told once";
}

TEST_F(Watch, TakesASleepForNoStep) {
  clock.suspend(2h);
  const auto news = watch.look();
  EXPECT_EQ(news.suspended, Duration(2h));
  EXPECT_EQ(news.step, Duration{});
  EXPECT_EQ(watch.suspends(), 1u);
}

TEST_F(Watch, KnowsAClockThatCannotBeRightAndSeesItMended) {
  ClockWatch early(clock, clock.now() + 24h);
  EXPECT_FALSE(early.plausible());
  EXPECT_FALSE(early.look().plausible.has_value());
  clock.jump_wall(48h);
  const auto news = early.look();
  ASSERT_TRUE(news.plausible.has_value());
  EXPECT_TRUE(*news.plausible);
  EXPECT_EQ(news.step, Duration(48h));
}

TEST_F(Watch, TellsNobodyWhoHasLeft) {
  int told = 0;
  watch.listen([&](const ClockWatch::News&) { ++told; }).reset();
  clock.jump_wall(5s);
  watch.look();
  EXPECT_EQ(told, 0);
}

TEST(NewestKnownTime, IsThatOfTheLastRunOrOfTheRelease) {
  const Time noon = std::chrono::sys_days(std::chrono::year(2031) / 5 / 6) + 12h;
  EXPECT_EQ(newest_known_time(keep_time(noon)), noon);
  const auto released = newest_known_time("");
  EXPECT_EQ(newest_known_time("{\"time\":\"rubbish\"}"), released);
  EXPECT_EQ(newest_known_time("{\"time\":\"2031-13-40T00:00:00Z\"}"), released);
  EXPECT_EQ(newest_known_time(keep_time(released - 24h)), released);
}

}  // namespace
}  // namespace lightship
