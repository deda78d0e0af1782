// What a device remembers of its holes while several polls doubt them at the same time, and what a
// poll does whose points were moved under it.
#include <gtest/gtest.h>

#include "sources/modbus/testing/simulated_bus.h"

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;

struct Remembering {
  Workshop shop;
  DeviceSetup setup = SimulatedBus::meter(1, 5s, {0, 1, 2, 3});
  DeviceMemory memory{setup, LearnedStore::of(shop.context), shop.clock};

  static Hole hole(int first, int count = 1) {
    Hole hole;
    hole.space = Space::holding;
    hole.first = static_cast<std::uint16_t>(first);
    hole.count = static_cast<std::uint16_t>(count);
    hole.of_points = true;
    hole.code = 2;
    return hole;
  }
};

TEST(DeviceMemory, OneHoleIsTriedByOnePollAtATime) {
  Remembering one;
  one.memory.found(Remembering::hole(2));
  one.shop.clock.advance(11min);
  const auto now = one.shop.clock.mono();
  EXPECT_TRUE(one.memory.retry(now));
  EXPECT_FALSE(one.memory.retry(now));
}

TEST(DeviceMemory, AHoleThatIsGoneMeanwhileIsNoMatter) {
  Remembering one;
  one.memory.found(Remembering::hole(1));
  one.memory.found(Remembering::hole(3));
  one.shop.clock.advance(11min);
  const auto now = one.shop.clock.mono();
  const auto first = one.memory.retry(now), second = one.memory.retry(now);
  ASSERT_TRUE(first && second);
  one.memory.retried(first->hole, true, now);
  one.memory.retried(second->hole, true, now);
  one.memory.retried(second->hole, true, now);
  one.memory.retried(first->hole, false, now);
  EXPECT_TRUE(one.memory.holes().empty());
}

TEST(DeviceMemory, APollWhosePointsWereMovedSaysNothing) {
  Workshop shop;
  auto setup = SimulatedBus::meter(1, 5s, {100, 101});
  Device device(setup, {}, shop.context, LearnedStore::of(shop.context), {});
  auto poll = device.begin_poll(device.groups().front());
  const Result<ByteVector> answer = hex("03 04 00 01 00 02");
  for (auto& point : setup.points) --point.where.address;
  device.walked(setup.points);
  device.take(poll, 0, answer, shop.clock.mono());
  const auto readings = device.finish_poll(poll, shop.clock.now(), shop.clock.mono());
  EXPECT_TRUE(readings.online);
  EXPECT_TRUE(readings.blocks.empty());
  EXPECT_TRUE(readings.readings.empty());
  EXPECT_TRUE(device.groups().front().owed);
}

}  // namespace
}  // namespace lightship::poller
