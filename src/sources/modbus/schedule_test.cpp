// The schedule keeps its grid.
#include "sources/modbus/schedule.h"

#include <gtest/gtest.h>

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;
constexpr MonoTime kStart{1000s};

TEST(Schedule, DoesNotDriftWithTheLengthOfPolls) {
  Schedule schedule(1s, kStart);
  EXPECT_EQ(schedule.due(), kStart);
  EXPECT_EQ(schedule.finished(kStart + 300ms), 0u);
  EXPECT_EQ(schedule.due(), kStart + 1s);
  EXPECT_EQ(schedule.finished(kStart + 1s + 999ms), 0u);
  EXPECT_EQ(schedule.due(), kStart + 2s);
}

TEST(Schedule, CountsTheTimesThatWentBy) {
  Schedule schedule(1s, kStart);
  EXPECT_EQ(schedule.finished(kStart + 3500ms), 2u);  // 1 s and 2 s are gone, 3 s is late
  EXPECT_EQ(schedule.due(), kStart + 3s);
  EXPECT_EQ(schedule.finished(kStart + 3600ms), 0u);
  EXPECT_EQ(schedule.due(), kStart + 4s);
}

TEST(Schedule, LeavesOutTimesOnPurpose) {
  Schedule schedule(1s, MonoTime{});
  schedule.leave_out(MonoTime{} + 3500ms);
  EXPECT_EQ(schedule.due(), MonoTime{} + 3s);
  EXPECT_EQ(schedule.finished(MonoTime{} + 3600ms), 0u);
  EXPECT_EQ(schedule.due(), MonoTime{} + 4s);
}

}  // namespace
}  // namespace lightship::poller
