// What a falling counter was, with what was counted for it.
#include "store/history/counter.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace lightship::history {
namespace {

using What = CounterEvent::What;
constexpr auto kHundredths = static_cast<Format>(18);
constexpr auto kTenths = static_cast<Format>(17);

// One read each ten seconds; a power of NaN is a meter without one.
struct Story {
  double increase = 0;
  std::vector<CounterEvent> events;
  CounterJudge judge{0.001};
  Millis at = 0;

  Story& reads(std::vector<double> values, Format format = kHundredths,
               double power_w = std::numeric_limits<double>::quiet_NaN()) {
    for (const auto value : values) {
      const auto verdict = judge.read(at, value, format, power_w);
      increase += verdict.increase;
      if (verdict.event) events.push_back(*verdict.event);
      at += 10'000;
    }
    return *this;
  }
  std::vector<What> what() const {
    std::vector<What> out;
    for (const auto& event : events) out.push_back(event.what);
    return out;
  }
};

TEST(CounterJudge, CountsWhatGrows) {
  Story story;
  story.reads({100, 100.05, 100.05, 100.1});
  EXPECT_NEAR(story.increase, 0.1, 1e-9);
  EXPECT_TRUE(story.events.empty());
}

TEST(CounterJudge, KnowsTheRollOverOfAnUnsigned32) {
  Story story;
  story.reads({42949672.80, 42949672.90, 0.04, 0.14, 0.24}, kHundredths, 36'000);
  EXPECT_EQ(story.what(), std::vector{What::rolled_over});
  EXPECT_NEAR(story.increase, 0.1 + 0.06 + 0.04 + 0.2, 1e-6);
  EXPECT_EQ(story.events[0].before, 42949672.90);
  EXPECT_EQ(story.events[0].after, 0.04);
}

TEST(CounterJudge, KnowsTheRollOverOfAnUnsigned16) {
  Story story;
  story.reads({65530, 65533, 2, 5, 8}, Format::i64, 1'080'000);
  EXPECT_EQ(story.what(), std::vector{What::rolled_over});
  EXPECT_NEAR(story.increase, 3 + 5 + 6, 1e-9);
}

TEST(CounterJudge, KnowsTheRollOverOfADisplayOfSixDigits) {
  Story story;
  story.reads({999999.4, 999999.7, 0.1, 0.4, 0.7}, kTenths, 100'000);
  EXPECT_EQ(story.what(), std::vector{What::rolled_over});
  EXPECT_NEAR(story.increase, 0.3 + 0.4 + 0.6, 1e-6);
}

TEST(CounterJudge, KnowsAReset) {
  Story story;
  story.reads({12345.6, 12345.7, 0, 0.1, 0.2}, kTenths, 36'000);
  EXPECT_EQ(story.what(), std::vector{What::reset});
  EXPECT_NEAR(story.increase, 0.1 + 0.2, 1e-6);
}

TEST(CounterJudge, DoesNotTakeAResetNearTheEndForARollOver) {
  // The way round would be 20 kWh: at 1 kW in 10 s that cannot be.
  Story story;
  story.reads({99979.9, 99980, 0, 0, 0.1}, kTenths, 1000);
  EXPECT_EQ(story.what(), std::vector{What::reset});
  EXPECT_NEAR(story.increase, 0.2, 1e-6);
}

TEST(CounterJudge, KnowsAnotherMeter) {
  Story story;
  story.reads({54321, 54321.1, 8000.5, 8000.6, 8000.7}, kTenths, 36'000);
  EXPECT_EQ(story.what(), std::vector{What::replaced});
  EXPECT_NEAR(story.increase, 0.1 + 0.2, 1e-6);
}

TEST(CounterJudge, CountsNothingForABadReadThatIsLow) {
  for (const double wrong : {0.0, 3.5, 12000.0}) {
    Story story;
    story.reads({12345.6, wrong, 12345.7, 12345.8}, kTenths, 36'000);
    EXPECT_EQ(story.what(), std::vector{What::bad_read}) << wrong;
    EXPECT_NEAR(story.increase, 0.2, 1e-6) << wrong;
  }
}

TEST(CounterJudge, CountsNothingForTwoBadReads) {
  Story story;
  story.reads({12345.6, 0, 0, 12345.8, 12345.9}, kTenths, 36'000);
  EXPECT_EQ(story.what(), std::vector{What::bad_read});
  EXPECT_NEAR(story.increase, 0.3, 1e-6);
}

TEST(CounterJudge, CountsNothingForABadReadThatIsHigh) {
  Story story;
  story.reads({12345.5, 12345.6, 65535, 12345.7, 12345.8}, kTenths, 36'000);
  EXPECT_EQ(story.what(), std::vector{What::bad_read});
  EXPECT_NEAR(story.increase, 0.3, 1e-6);
}

TEST(CounterJudge, BelievesALeapThatStays) {
  // The line was cut for long while the meter counted on.
  Story story;
  story.reads({100, 100.1, 100.2}, kTenths, 36'000);
  story.at += 3'600'000;
  story.reads({500, 500.1, 500.2}, kTenths, 36'000);
  EXPECT_TRUE(story.events.empty());
  EXPECT_NEAR(story.increase, 400.2, 1e-6);
}

TEST(CounterJudge, TakesARestartBetweenForNothing) {
  Story story;
  EXPECT_EQ(story.judge.resume(-60'000, 99.5), 0);
  story.reads({100, 100.1}, kTenths, 36'000);
  EXPECT_NEAR(story.increase, 0.6, 1e-6);
}

TEST(CounterJudge, AddsWhatWasCountedBeforeItsFirstReadWhenToldLate) {
  Story story;
  story.reads({100, 100.1}, kTenths, 36'000);
  EXPECT_NEAR(story.increase + story.judge.resume(-60'000, 99.5), 0.6, 1e-6);
  // A second telling, after a repair of the file, changes nothing.
  EXPECT_EQ(story.judge.resume(15'000, 100.05), 0);
}

TEST(CounterJudge, JudgesAMeterThatWasReplacedWhileNobodyLooked) {
  Story story;
  story.reads({20, 20.1}, kTenths, 36'000);
  story.increase += story.judge.resume(-60'000, 5000);
  story.reads({20.2}, kTenths, 36'000);
  EXPECT_EQ(story.what(), std::vector{What::replaced});
  EXPECT_NEAR(story.increase, 0.2, 1e-6);
}

TEST(CounterJudge, PassesOverTheLastBitOfAFloat) {
  Story story;
  story.reads({1234.5677f, 1234.5676f, 1234.5677f}, Format::f32, 36'000);
  EXPECT_TRUE(story.events.empty());
  EXPECT_LT(story.increase, 0.001);
}

}  // namespace
}  // namespace lightship::history
