// What the ring keeps, and how much of it.
#include "portal/diag/metrics_ring.h"

#include <gtest/gtest.h>

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;

MetricsRing::Row with_cpu(double percent) {
  auto row = MetricsRing::nothing();
  row[0] = percent;
  return row;
}

TEST(MetricsRing, GivesFineRowsForAnHour) {
  MetricsRing ring;
  for (int i = 0; i < 1000; ++i) ring.add(with_cpu(i));
  const auto past = ring.past(60min);
  EXPECT_EQ(past.step, 5s);
  ASSERT_EQ(past.rows.size(), 720U);
  EXPECT_EQ(past.rows.back()[0], 999);
  EXPECT_EQ(ring.past(1min).rows.size(), 12U);
  EXPECT_EQ(ring.past(1min).rows.front()[0], 988);
}

TEST(MetricsRing, GivesMinutesForADay) {
  MetricsRing ring;
  for (int i = 0; i < 12 * 3; ++i) ring.add(with_cpu(i));
  const auto past = ring.past(1440min);
  EXPECT_EQ(past.step, 60s);
  ASSERT_EQ(past.rows.size(), 3U);
  EXPECT_DOUBLE_EQ(past.rows[0][0], 5.5);
  EXPECT_DOUBLE_EQ(past.rows[2][0], 29.5);
}

TEST(MetricsRing, AMinuteIsTheAverageOfWhatWasMeasured) {
  MetricsRing ring;
  ring.add_gap(6);
  for (int i = 0; i < 6; ++i) ring.add(with_cpu(10));
  ring.add_gap(12);
  const auto past = ring.past(1440min);
  ASSERT_EQ(past.rows.size(), 2U);
  EXPECT_EQ(past.rows[0][0], 10);
  EXPECT_TRUE(std::isnan(past.rows[1][0]));
}

TEST(MetricsRing, IsBoundedHoweverLongTheGap) {
  MetricsRing ring;
  ring.add_gap(100'000'000);
  EXPECT_EQ(ring.past(60min).rows.size(), 720U);
  EXPECT_EQ(ring.past(100'000min).rows.size(), 1500U);
}

}  // namespace
}  // namespace lightship::portal
