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

TEST(DeviceMemory, AFullTableIsToldOnceAndSearchedForNoMore) {
  Remembering one;
  for (int i = 0; i < static_cast<int>(kMostHoles); ++i)
    ASSERT_TRUE(one.memory.found(Remembering::hole(10 * i)));
  EXPECT_FALSE(one.memory.became_full());
  EXPECT_FALSE(one.memory.found(Remembering::hole(9'000)));
  EXPECT_FALSE(one.memory.found(Remembering::hole(9'010)));
  EXPECT_TRUE(one.memory.became_full());
  EXPECT_FALSE(one.memory.became_full());
  const Block block{Space::holding, 9'000, 2, {0, 1}};
  EXPECT_FALSE(one.memory.may_search(block, one.shop.clock.mono()));
}

TEST(DeviceMemory, NeighbouringHolesMakeRoomInAFullTable) {
  Remembering one;
  for (int i = 0; i < static_cast<int>(kMostHoles); ++i)
    ASSERT_TRUE(one.memory.found(Remembering::hole(i)));
  EXPECT_TRUE(one.memory.found(Remembering::hole(9'000)));
  ASSERT_EQ(one.memory.holes().size(), 3u);
  EXPECT_EQ(one.memory.holes()[0].count, 125);
  EXPECT_EQ(one.memory.holes()[1].first, 125);
  EXPECT_EQ(one.memory.holes()[1].count, 75);
}

struct Limited {
  explicit Limited(Space space) : at(space) {
    setup.points = {};
    for (int i = 0; i < 100; ++i) {
      setup.points.push_back(
          {"p" + std::to_string(i), "", {space, static_cast<std::uint16_t>(i), 1}, {}, {}});
    }
  }
  std::shared_ptr<LearnedStore> store() { return LearnedStore::of(shop.context); }
  const Learned& learned() { return store()->model(setup.memory())->learned; }
  std::uint16_t most() const {
    PlanLimits limits;
    memory.narrow(limits);
    return is_bits(at) ? limits.max_bits : limits.max_registers;
  }

  Space at;
  Workshop shop;
  DeviceSetup setup = SimulatedBus::meter(1, 5s, {});
  DeviceMemory memory{setup, store(), shop.clock};
};

TEST(DeviceMemory, ALimitOfRegistersAndOneOfBitsAreDoubtedAlike) {
  for (const auto space : {Space::holding, Space::coils}) {
    Limited one(space);
    one.memory.points_are(one.setup.points);
    one.memory.limit_is(space, 50);
    EXPECT_EQ(one.most(), 50);
    EXPECT_FALSE(one.memory.longer_read(one.shop.clock.mono()));
    one.shop.clock.advance(25h);
    const auto longer = one.memory.longer_read(one.shop.clock.mono());
    ASSERT_TRUE(longer);
    EXPECT_EQ(longer->space, space);
    EXPECT_EQ(longer->count, 51);
    EXPECT_FALSE(one.memory.longer_read(one.shop.clock.mono())) << "one poll at a time";
    EXPECT_TRUE(one.memory.longer_read_done(space, true, one.shop.clock.mono()));
    EXPECT_EQ(one.most(), is_bits(space) ? 2000 : 125);
    EXPECT_TRUE(one.learned().nothing());
    EXPECT_FALSE(one.memory.longer_read_done(space, true, one.shop.clock.mono()));
  }
}

TEST(DeviceMemory, ALimitThatIsFoundToHoldIsKeptForAsLong) {
  for (const auto space : {Space::holding, Space::coils}) {
    Limited one(space);
    one.memory.points_are(one.setup.points);
    one.memory.limit_is(space, 50);
    one.shop.clock.advance(25h);
    ASSERT_TRUE(one.memory.longer_read(one.shop.clock.mono()));
    EXPECT_FALSE(one.memory.longer_read_done(space, false, one.shop.clock.mono()));
    EXPECT_EQ(one.most(), 50);
    EXPECT_EQ(one.learned().found, one.shop.clock.now());
    EXPECT_FALSE(one.memory.longer_read(one.shop.clock.mono()));
  }
}

TEST(Learned, ABadHoleIsLeftOutAndTheOthersStay) {
  const auto models = learned_from_json(R"({"version":1,"models":{"m":{"since":0,"found":0,
      "why":"","holes":[
      {"function":3,"first":0,"count":0,"points":true,"code":2,"since":0,"found":0},
      {"function":3,"first":0,"count":126,"points":true,"code":2,"since":0,"found":0},
      {"function":3,"first":65535,"count":2,"points":true,"code":2,"since":0,"found":0},
      {"function":9,"first":0,"count":1,"points":true,"code":2,"since":0,"found":0},
      {"function":1,"first":0,"count":2000,"points":true,"code":2,"since":0,"found":0},
      {"function":3,"first":5,"count":0,"points":false,"code":2,"since":0,"found":0},
      {"function":3,"first":65535,"count":1,"points":true,"code":2,"since":0,"found":0}]}}})",
                                        Time{});
  ASSERT_TRUE(models);
  const auto& holes = models->at("m")->learned.holes;
  ASSERT_EQ(holes.size(), 3u);
  EXPECT_EQ(holes[0].count, 2000);
  EXPECT_EQ(holes[1].first, 5);
  EXPECT_EQ(holes[2].first, 65535);
}

TEST(DeviceMemory, APollThatAskedNothingSaysNotWhetherTheDeviceIsThere) {
  Remembering one;
  Workshop& shop = one.shop;
  one.setup.points.own()[3].interval = 10s;
  one.memory.found(Remembering::hole(3));
  Device device(one.setup, {}, shop.context, LearnedStore::of(shop.context), {});
  ASSERT_EQ(device.groups().size(), 2u);
  for (auto& group : device.groups()) {
    if (has_normal_blocks(*group.of.blocks)) continue;
    auto poll = device.begin_poll(group);
    (void)device.finish_poll(poll, shop.clock.now(), shop.clock.mono());
    EXPECT_FALSE(device.polled());
  }
}

TEST(DeviceMemory, APollWhosePointsWereMovedSaysNothing) {
  Workshop shop;
  auto setup = SimulatedBus::meter(1, 5s, {100, 101});
  Device device(setup, {}, shop.context, LearnedStore::of(shop.context), {});
  auto poll = device.begin_poll(device.groups().front());
  const Result<ByteVector> answer = hex("03 04 00 01 00 02");
  for (auto& point : setup.points.own()) --point.where.address;
  device.walked(setup.points);
  device.take(poll, 0, answer, shop.clock.mono());
  const auto readings = device.finish_poll(poll, shop.clock.now(), shop.clock.mono());
  EXPECT_TRUE(readings.online);
  EXPECT_TRUE(readings.blocks.empty());
  EXPECT_TRUE(readings.readings.empty());
  EXPECT_TRUE(device.groups().front().owed);
}

TEST(DeviceMemory, AnAnswerThatIsShorterThanAskedIsNoValue) {
  Workshop shop;
  auto setup = SimulatedBus::meter(1, 5s, {100, 101, 102});
  Device device(setup, {}, shop.context, LearnedStore::of(shop.context), {});
  for (const auto* text : {"", "03", "03 06", "03 06 00", "03 06 00 01", "03 06 00 01 02"}) {
    auto poll = device.begin_poll(device.groups().front());
    device.take(poll, 0, Result<ByteVector>(hex(text)), shop.clock.mono());
    const auto readings = device.finish_poll(poll, shop.clock.now(), shop.clock.mono());
    ASSERT_EQ(readings.readings.size(), 3u);
    EXPECT_EQ(readings.readings[1].reason, Reason::crc) << text;
    EXPECT_EQ(readings.readings[2].reason, Reason::crc) << text;
  }
}

}  // namespace
}  // namespace lightship::poller
