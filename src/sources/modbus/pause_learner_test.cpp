// The pause grows with evidence only, helps or is given up, and shrinks with care.
#include "sources/modbus/pause_learner.h"

#include <gtest/gtest.h>

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;

// A device that is deaf for `needs` after traffic, asked again and again.
struct Device {
  PauseLearner learner;
  Duration needs;
  MonoTime now{std::chrono::hours(1)};
  int lost = 0;

  void ask(int times, Duration every = 1s) {
    for (int i = 0; i < times; ++i, now += every) {
      const Duration quiet = 4ms + learner.pause();
      const bool good = quiet >= needs;
      learner.told(good, quiet, now);
      if (good) continue;
      ++lost;
      learner.told(true, 200ms + learner.pause_of_retry(), now);
    }
  }
};

TEST(PauseLearner, FindsThePauseThatADeviceNeeds) {
  Device device{{{}, false}, 30ms};
  device.ask(50);
  EXPECT_EQ(device.learner.pause(), 40ms);
  EXPECT_EQ(device.lost, 9);  // three before each of 10, 20 and 40 ms
}

TEST(PauseLearner, LeavesAGivenPauseAlone) {
  Device device{{5ms, true}, 30ms};
  device.ask(50);
  EXPECT_EQ(device.learner.pause(), 5ms);
}

TEST(PauseLearner, IsNotMovedByAFewLostAnswers) {
  PauseLearner learner({}, false);
  MonoTime now{};
  for (int i = 0; i < 200; ++i, now += 1s) {
    const bool lost = i % 10 == 0;
    learner.told(!lost, 4ms, now);
    if (lost) learner.told(true, 250ms, now);
  }
  EXPECT_EQ(learner.pause(), 0ms);
}

TEST(PauseLearner, GivesUpWhereNoPauseHelps) {
  Device device{{{}, false}, 10s};  // the retry is answered, whatever the pause was
  device.ask(24);
  EXPECT_EQ(device.learner.pause(), 0ms);
  device.ask(50);
  EXPECT_EQ(device.learner.pause(), 0ms);  // not tried again on the same day
}

TEST(PauseLearner, TakesADeadDeviceForNoReason) {
  PauseLearner learner({}, false);
  for (int i = 0; i < 100; ++i) learner.told(false, 4ms, MonoTime{} + i * 1s);
  learner.told(true, 300ms, MonoTime{} + 200s);
  EXPECT_EQ(learner.pause(), 0ms);
}

TEST(PauseLearner, ShrinksAfterLongAndGoesBackWhereThatWasTooMuch) {
  Device device{{{}, false}, 38ms};
  device.ask(50);
  ASSERT_EQ(device.learner.pause(), 40ms);
  device.ask(400, 20s);  // more than an hour
  EXPECT_EQ(device.learner.pause(), 40ms);
  EXPECT_EQ(device.lost, 9 + 3);  // 30 ms was tried and found too short
  device.ask(400, 20s);
  EXPECT_EQ(device.lost, 9 + 3);  // once a day
}

}  // namespace
}  // namespace lightship::poller
