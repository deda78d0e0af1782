// The small counters that every device and line carries: latency, polls by the minute, busy time.
#include <gtest/gtest.h>

#include "core/busy_meter.h"
#include "core/latency_histogram.h"
#include "core/poll_record.h"

namespace lightship {
namespace {

using namespace std::chrono_literals;

constexpr MonoTime kStart{std::chrono::hours(100)};

TEST(LatencyHistogram, KnowsNothingBeforeTheFirstAnswer) {
  EXPECT_FALSE(LatencyHistogram().quantile(0.5).has_value());
}

TEST(LatencyHistogram, TellsMedianAndTailWithinSixPercent) {
  LatencyHistogram times;
  for (int i = 0; i < 95; ++i) times.add(41ms);
  for (int i = 0; i < 5; ++i) times.add(812ms);
  EXPECT_NEAR(to_ms(*times.quantile(0.5)), 41, 41 * 0.06);
  EXPECT_NEAR(to_ms(*times.quantile(0.95)), 41, 41 * 0.06);
  EXPECT_NEAR(to_ms(*times.quantile(0.96)), 812, 812 * 0.06);
}

TEST(LatencyHistogram, TakesTheShortestAndTheLongest) {
  LatencyHistogram times;
  times.add(0us);
  times.add(-1us);
  EXPECT_LT(*times.quantile(0.5), 100us);
  LatencyHistogram slow;
  slow.add(24h);
  EXPECT_GT(*slow.quantile(0.5), 60s);
}

TEST(LatencyHistogram, ForgetsWhatIsOld) {
  LatencyHistogram times;
  for (int i = 0; i < 1000; ++i) times.add(1s);
  for (int i = 0; i < 3000; ++i) times.add(10ms);
  EXPECT_LT(*times.quantile(0.5), 12ms);
  EXPECT_LT(sizeof(LatencyHistogram), 340u);
}

TEST(PollRecord, ShowsEachMinuteAndNothingWhereNobodyPolled) {
  PollRecord record;
  for (int i = 0; i < 4; ++i) record.add(i != 0, kStart + i * 10s);  // 75 % of the first minute
  record.add(true, kStart + 3min);
  const auto minutes = record.minutes(kStart + 3min);
  EXPECT_EQ(minutes[59], 100);
  EXPECT_EQ(minutes[58], PollRecord::kNone);
  EXPECT_EQ(minutes[57], PollRecord::kNone);
  EXPECT_EQ(minutes[56], 75);
  EXPECT_EQ(minutes[0], PollRecord::kNone);
}

TEST(PollRecord, ForgetsAMinuteAfterAnHour) {
  PollRecord record;
  record.add(true, kStart);
  record.add(false, kStart + 59min);
  EXPECT_EQ(record.minutes(kStart + 59min)[0], 100);
  record.add(false, kStart + 60min);
  const auto later = record.minutes(kStart + 60min);
  EXPECT_EQ(later[0], PollRecord::kNone);
  EXPECT_EQ(later[59], 0);
  EXPECT_EQ(later[58], 0);
  // Nobody polls for two hours.
  for (const auto minute : record.minutes(kStart + 180min)) EXPECT_EQ(minute, PollRecord::kNone);
}

TEST(PollRecord, NearlyAllIsNotAll) {
  PollRecord record;
  for (int i = 0; i < 1000; ++i) record.add(i != 0, kStart);
  EXPECT_EQ(record.minutes(kStart)[59], 99);
}

TEST(PollRecord, CountsTheLastDay) {
  PollRecord record;
  EXPECT_FALSE(record.success(kStart).has_value());
  for (int hour = 0; hour < 24; ++hour) record.add(hour != 0, kStart + hour * 1h);
  EXPECT_NEAR(*record.success(kStart + 23h), 100.0 * 23 / 24, 0.01);
  record.add(true, kStart + 24h);  // the bad one is older than a day
  EXPECT_NEAR(*record.success(kStart + 24h), 100, 0.01);
  EXPECT_FALSE(record.success(kStart + 72h).has_value());
  EXPECT_LT(sizeof(PollRecord) + sizeof(LatencyHistogram), 1024u);
}

TEST(BusyMeter, TellsThePartOfTheLastMinute) {
  BusyMeter meter;
  EXPECT_FALSE(meter.percent(kStart).has_value());
  for (int i = 0; i < 120; ++i) {
    meter.begin(kStart + i * 1s);
    meter.end(kStart + i * 1s + 250ms);
  }
  EXPECT_NEAR(*meter.percent(kStart + 120s), 25, 1.5);
  EXPECT_NEAR(*meter.percent(kStart + 300s), 0, 0.01);
}

TEST(BusyMeter, CountsRequestsUnderWayTogetherOnce) {
  BusyMeter meter;
  meter.begin(kStart);
  meter.begin(kStart + 1s);
  meter.end(kStart + 2s);
  meter.end(kStart + 4s);
  EXPECT_NEAR(*meter.percent(kStart + 8s), 50, 0.1);
  meter.begin(kStart + 8s);  // and one that is still under way
  EXPECT_NEAR(*meter.percent(kStart + 10s), 60, 0.1);
}

}  // namespace
}  // namespace lightship
