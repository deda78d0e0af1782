// Sleepers wake at their moment and in their order; nothing waits for real time.
#include "base/manual_clock.h"

#include <vector>

#include <gtest/gtest.h>

namespace lightship {
namespace {

using namespace std::chrono_literals;

struct Dormitory {
  asio::io_context loop;
  ManualClock clock{loop};
  TaskGroup beds{loop.get_executor()};
  MonoTime start = clock.mono();
  std::vector<std::pair<char, std::chrono::milliseconds>> woken;

  ~Dormitory() {
    beds.cancel();
    clock.settle();
  }
  Task<void> sleep(char name, std::chrono::milliseconds at) {
    co_await clock.sleep_until(start + at);
    note(name);
  }
  Task<void> snore(char name, std::chrono::milliseconds every, int times) {
    for (int i = 0; i < times; ++i) {
      co_await clock.sleep_for(every);
      note(name);
    }
  }
  // In capitals: woken early.
  Task<void> nap(char name, std::chrono::milliseconds at, asio::steady_timer& bell) {
    const bool early = co_await clock.sleep_unless_woken(start + at, bell);
    note(early ? static_cast<char>(name - 'a' + 'A') : name);
  }
  void note(char name) {
    woken.emplace_back(name,
                       std::chrono::duration_cast<std::chrono::milliseconds>(clock.mono() - start));
  }
};

using Woken = std::vector<std::pair<char, std::chrono::milliseconds>>;

TEST(ManualClock, WakesSleepersInTheOrderOfTheirTimes) {
  Dormitory house;
  house.beds.spawn(house.sleep('c', 30ms));
  house.beds.spawn(house.sleep('a', 10ms));
  house.beds.spawn(house.sleep('b', 20ms));

  house.clock.advance(1s);

  EXPECT_EQ(house.woken, (Woken{{'a', 10ms}, {'b', 20ms}, {'c', 30ms}}));
}

TEST(ManualClock, WakesEqualTimesInTheOrderTheyLayDown) {
  Dormitory house;
  for (char name : {'x', 'y', 'z'}) house.beds.spawn(house.sleep(name, 5ms));

  house.clock.advance(5ms);

  EXPECT_EQ(house.woken, (Woken{{'x', 5ms}, {'y', 5ms}, {'z', 5ms}}));
}

TEST(ManualClock, LetsASleeperThatLiesDownAgainWakeInTheSameAdvance) {
  Dormitory house;
  house.beds.spawn(house.snore('a', 10ms, 3));
  house.beds.spawn(house.sleep('b', 25ms));

  house.clock.advance(30ms);

  EXPECT_EQ(house.woken, (Woken{{'a', 10ms}, {'a', 20ms}, {'b', 25ms}, {'a', 30ms}}));
}

TEST(ManualClock, WakesNobodyEarly) {
  Dormitory house;
  house.beds.spawn(house.sleep('a', 10ms));

  house.clock.advance(9ms);

  EXPECT_TRUE(house.woken.empty());
  EXPECT_EQ(house.clock.sleepers(), 1u);
  EXPECT_EQ(house.clock.next_due(), house.start + 10ms);
}

TEST(ManualClock, ForgetsASleeperThatIsCancelled) {
  Dormitory house;
  house.beds.spawn(house.sleep('a', 10ms));
  house.clock.settle();

  house.beds.cancel();
  house.clock.advance(1s);

  EXPECT_TRUE(house.woken.empty());
  EXPECT_EQ(house.clock.sleepers(), 0u);
  EXPECT_EQ(house.beds.running(), 0u);
}

TEST(ManualClock, WakesASleeperBeforeItsTimeWhenTheBellRings) {
  Dormitory house;
  asio::steady_timer bell(house.loop);
  house.beds.spawn(house.nap('a', 10s, bell));
  house.clock.advance(3s);
  bell.cancel();
  house.clock.settle();
  EXPECT_EQ(house.woken, (Woken{{'A', 3000ms}}));

  house.beds.spawn(house.nap('b', 10s, bell));
  house.clock.advance(20s);
  EXPECT_EQ(house.woken.back(), (Woken::value_type{'b', 10000ms}));
  EXPECT_EQ(house.clock.sleepers(), 0u);
}

TEST(ManualClock, MovesBothClocksAndLosesNoNanoseconds) {
  asio::io_context loop;
  ManualClock clock(loop);
  const auto wall = clock.now();
  const auto mono = clock.mono();

  for (int i = 0; i < 10; ++i) clock.advance(100ns);

  EXPECT_EQ(clock.mono() - mono, 1us);
  EXPECT_EQ(clock.now() - wall, 1us);
}

TEST(ManualClock, JumpsTheWallWithoutTheSteadyTime) {
  asio::io_context loop;
  ManualClock clock(loop);
  const auto mono = clock.mono();

  clock.jump_wall(-1h);

  EXPECT_EQ(to_rfc3339(clock.now()), "2026-01-04T11:00:00.000Z");
  EXPECT_EQ(clock.mono(), mono);
}

TEST(Rfc3339, IsReadBackAsItIsWritten) {
  for (const auto* text : {"2026-01-04T11:00:00.000Z", "1970-01-01T00:00:00.000Z",
                           "2024-02-29T23:59:59.999Z", "2100-12-31T00:00:00.001Z"}) {
    const auto time = from_rfc3339(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(to_rfc3339(*time), text);
  }
  for (const auto* text :
       {"", "2026-01-04T11:00:00Z", "2026-01-04 11:00:00.000Z", "2026-13-04T11:00:00.000Z",
        "2026-02-30T11:00:00.000Z", "2026-01-04T24:00:00.000Z", "2026-01-04T11:60:00.000Z",
        "2026-01-04T11:00:61.000Z", "2026-01-0xT11:00:00.000Z", "2026-01-04T11:00:00.000+"})
    EXPECT_FALSE(from_rfc3339(text)) << text;
}

}  // namespace
}  // namespace lightship
