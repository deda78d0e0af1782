// A SunSpec device in the running poller: its models are found where they are, and found again.
#include <gtest/gtest.h>

#include "base/json_writer.h"
#include "sources/modbus/setup.h"
#include "sources/modbus/testing/simulated_bus.h"
#include "sources/modbus/testing/simulated_meter.h"

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;

constexpr const char* kDevice = "panel/inverter";

struct SunspecLine {
  config::Mistakes mistakes;
  Meters meters = Meters::built_in(mistakes);
  Workshop shop;
  SimulatedBus bus{shop};
  std::unique_ptr<LineSource> source;
  std::optional<TaskGroup> group;

  ~SunspecLine() {
    if (!group) return;
    group->cancel();
    shop.clock.settle();
  }
  std::shared_ptr<sim::RegisterMeter> device_at(const SunspecLayout& layout,
                                                const char* model = "sunspec_101") {
    auto device = simulated(*meters.find(model), meters, shop.clock, layout);
    bus[1].meter = device;
    return device;
  }
  DeviceSetup setup(const char* model = "sunspec_101") const {
    ConnectionConfig connection;
    connection.id = "panel";
    connection.type = LineType::serial;
    DeviceConfig client;
    client.id = "inverter";
    client.unit_id = 1;
    client.poll_interval = 5s;
    client.meter_model = model;
    return device_setup(connection, client, meters);
  }
  void start(std::vector<DeviceSetup> devices) {
    source = std::make_unique<LineSource>(shop.context, bus.line(std::move(devices)));
    group.emplace(shop.loop.get_executor());
    group->spawn(Workshop::collect(shop));
    group->spawn(Workshop::keep(*source));
  }
  bool online() const { return !shop.seen.empty() && shop.seen.back().online; }
  DeviceId id() const { return *shop.catalog.find_device(kDevice); }
  // After the next poll: good values that are not what the device shows; and how many are good.
  std::pair<std::string, std::size_t> wrong_of_good(sim::RegisterMeter& device) {
    const auto before = shop.seen.size();
    for (int i = 0; i < 100 && shop.seen.size() == before; ++i) shop.clock.advance(100ms);
    std::string wrong;
    std::size_t good = 0;
    for (const auto point : shop.catalog.points(id())) {
      const auto& name = shop.catalog.info(point).name.str();
      const auto& state = shop.cache.point(point);
      if (state.reason != Reason::none || name.starts_with("model_")) continue;
      ++good;
      const auto shown = device.shows(name);
      const bool same = std::holds_alternative<std::string>(shown)
                            ? to_text(state.value) == to_text(shown)
                            // it has changed a little since the poll
                            : std::abs(as_double(state.value) - as_double(shown)) <=
                                  device.step(name) + std::abs(as_double(shown)) * 0.2;
      if (!same) wrong += fmt::format("{} {} is {}, ", name, to_text(state.value), to_text(shown));
    }
    return {wrong, good};
  }
  bool serves(int first, int count) {
    return shop.cache.image(id()).declared(Space::holding, static_cast<std::uint32_t>(first),
                                           static_cast<std::uint32_t>(count));
  }
  std::size_t asked_at(int first) const {
    const auto& firsts = const_cast<SimulatedBus&>(bus)[1].firsts;
    return static_cast<std::size_t>(std::ranges::count(firsts, first));
  }
};

TEST(SunspecPoll, ReadsTheModelsWhereTheyAre) {
  for (const auto& layout : {SunspecLayout{}, SunspecLayout{50'000, 0}, SunspecLayout{40'000, 20},
                             SunspecLayout{0, 33}}) {
    SunspecLine line;
    const auto device = line.device_at(layout);
    line.start({line.setup()});
    line.shop.clock.advance(7s);
    EXPECT_TRUE(line.online());
    const auto [wrong, good] = line.wrong_of_good(*device);
    EXPECT_GT(good, 20u) << layout.base;
    EXPECT_EQ(wrong, "") << layout.base;
  }
}

TEST(SunspecPoll, TellsTheGatewayWhatIsPolledThere) {
  SunspecLine line;
  line.device_at({50'000, 20});
  line.start({line.setup()});
  line.shop.clock.advance(7s);
  // The common model at 50002 has 66 registers, the other one 20: the inverter begins at 50092.
  EXPECT_TRUE(line.serves(50'092 + 2, 10));
  EXPECT_FALSE(line.serves(40'070 + 2, 10));
  const auto& info = line.shop.catalog.info(
      *line.shop.catalog.find_point(std::string(kDevice) + "/current_total"));
  EXPECT_GE(info.registers.first, 50'092);
}

TEST(SunspecPoll, WalksOnceAndThenReads) {
  SunspecLine line;
  line.device_at({});
  line.start({line.setup()});
  line.shop.clock.advance(10min);
  EXPECT_EQ(line.asked_at(40'000), 1u);
}

// Another device of the same meter stands there afterwards, with its models elsewhere.
TEST(SunspecPoll, WalksAgainAfterTheDeviceWasAway) {
  SunspecLine line;
  line.device_at({});
  line.start({line.setup()});
  line.shop.clock.advance(1min);
  line.bus[1].dead = true;
  line.shop.clock.advance(5min);
  EXPECT_FALSE(line.online());
  line.bus[1].dead = false;
  const auto device = line.device_at({50'000, 5});
  line.shop.clock.advance(1min);
  EXPECT_TRUE(line.online());
  const auto [wrong, good] = line.wrong_of_good(*device);
  EXPECT_GT(good, 20u);
  EXPECT_EQ(wrong, "");
  EXPECT_TRUE(line.serves(50'077 + 2, 10));
  EXPECT_FALSE(line.serves(40'070 + 2, 10));
}

// Nothing was missing in between: the first request on the closed connection goes again at once.
TEST(SunspecPoll, AnotherDeviceOnANewConnectionIsWalkedBeforeAnythingOfItIsTold) {
  SunspecLine line;
  line.device_at({});
  line.start({line.setup()});
  line.shop.clock.advance(2min);
  const auto device = line.device_at({40'000, 5});
  line.bus.hang_up();
  for (int poll = 0; poll < 3; ++poll) EXPECT_EQ(line.wrong_of_good(*device).first, "") << poll;
  line.shop.clock.advance(10s);
  const auto [wrong, good] = line.wrong_of_good(*device);
  EXPECT_GT(good, 20u);
  EXPECT_EQ(wrong, "");
  EXPECT_TRUE(line.serves(40'077 + 2, 10));
  EXPECT_FALSE(line.serves(40'070 + 2, 5));
}

TEST(SunspecPoll, TheSameDeviceOnANewConnectionIsLookedAtAndNotWalked) {
  SunspecLine line;
  const auto device = line.device_at({});
  line.start({line.setup()});
  line.shop.clock.advance(2min);
  const auto heads = line.asked_at(40'069);
  line.bus.hang_up();
  line.shop.clock.advance(20s);
  EXPECT_EQ(line.asked_at(40'000), 1u);
  EXPECT_EQ(line.asked_at(40'069), heads + 1);
  EXPECT_GT(line.wrong_of_good(*device).second, 20u);
}

TEST(SunspecPoll, ADeviceThatHangsUpAfterEachAnswerIsLookedAtOnceAMinute) {
  SunspecLine line;
  const auto device = line.device_at({});
  line.bus.hangs_up = true;
  line.start({line.setup()});
  line.shop.clock.advance(10min);
  EXPECT_EQ(line.asked_at(40'000), 1u);
  EXPECT_GE(line.asked_at(40'069), 9u);
  EXPECT_LE(line.asked_at(40'069), 12u);
  EXPECT_GT(line.wrong_of_good(*device).second, 20u);
}

// The read of two registers at the first base is also how it is asked whether it is there; where
// "SunS" should be otherwise is asked by a walk alone.
TEST(SunspecPoll, ADeviceWithoutModelsThatHangsUpAfterEachAnswerIsNotWalkedAtEveryPoll) {
  SunspecLine line;
  line.device_at({50'000, 0}, "sunspec_201");
  line.bus.hangs_up = true;
  line.start({line.setup()});
  line.shop.clock.advance(10min);
  EXPECT_GE(line.asked_at(50'000), 9u);
  EXPECT_LE(line.asked_at(50'000), 12u);
}

TEST(SunspecPoll, ASilentDeviceIsWalkedWhenItIsFirstReached) {
  SunspecLine line;
  const auto device = line.device_at({50'000, 5});
  line.bus[1].dead = true;
  line.start({line.setup()});
  line.shop.clock.advance(3min);
  EXPECT_FALSE(line.online());
  line.bus[1].dead = false;
  line.shop.clock.advance(30s);
  EXPECT_TRUE(line.online());
  EXPECT_GT(line.wrong_of_good(*device).second, 20u);
}

// Its points are not there, but the device is: it is asked at every poll whether that is still so.
TEST(SunspecPoll, ADeviceWithoutTheModelsIsOnlineOnlyWhileItAnswers) {
  SunspecLine line;
  line.device_at({}, "sunspec_201");
  line.start({line.setup()});
  line.shop.clock.advance(1min);
  EXPECT_TRUE(line.online());
  const auto point = *line.shop.catalog.find_point(std::string(kDevice) + "/current_total");
  EXPECT_EQ(line.shop.cache.point(point).reason, Reason::not_available);
  line.bus[1].dead = true;
  line.shop.clock.advance(1min);
  EXPECT_FALSE(line.online());
  EXPECT_EQ(line.shop.cache.point(point).reason, Reason::timeout);
  line.bus[1].dead = false;
  const auto device = line.device_at({50'000, 0});
  line.shop.clock.advance(11min);
  EXPECT_TRUE(line.online());
  EXPECT_GT(line.wrong_of_good(*device).second, 20u);
}

// An inverter that just starts answers everything with exception 4 (or 6) for some seconds.
TEST(SunspecPoll, ADeviceThatCannotAnswerYetAfterAReconnectKeepsItsPlaces) {
  for (const int exception : {4, 5, 6, 10}) {
    SunspecLine line;
    const auto device = line.device_at({});
    line.start({line.setup()});
    line.shop.clock.advance(2min);
    line.bus[1].refuses_with = exception;
    line.bus.hang_up();
    line.shop.clock.advance(8s);
    EXPECT_TRUE(line.serves(40'069 + 2, 10)) << exception;
    line.bus[1].refuses_with = 0;
    line.shop.clock.advance(6s);
    EXPECT_EQ(line.asked_at(40'000), 1u) << exception;
    const auto [wrong, good] = line.wrong_of_good(*device);
    EXPECT_GT(good, 20u) << exception;
    EXPECT_EQ(wrong, "") << exception;
  }
}

TEST(SunspecPoll, ADeviceThatCannotAnswerYetIsWalkedAgainAtTheNextPoll) {
  for (const int exception : {4, 6}) {
    SunspecLine line;
    const auto device = line.device_at({50'000, 0});
    line.bus[1].refuses_with = exception;
    line.start({line.setup()});
    line.shop.clock.advance(8s);
    const auto point = *line.shop.catalog.find_point(std::string(kDevice) + "/current_total");
    EXPECT_EQ(line.shop.cache.point(point).reason, Reason::exception) << exception;
    EXPECT_EQ(line.shop.cache.point(point).code, exception);
    line.bus[1].refuses_with = 0;
    line.shop.clock.advance(6s);
    EXPECT_GT(line.wrong_of_good(*device).second, 20u) << exception;
  }
}

TEST(SunspecPoll, AChainThatIsOnlyHalfToldWhileTheDeviceStartsIsNoWholeOne) {
  SunspecLine line;
  const auto device = line.device_at({});
  line.bus[1].refuses_with = 4;
  line.bus[1].refuses_from = 40'069;
  line.start({line.setup()});
  line.shop.clock.advance(8s);
  line.bus[1].refuses_with = 0;
  line.shop.clock.advance(6s);
  EXPECT_GT(line.wrong_of_good(*device).second, 20u);
}

// Some have no end mark, and no better exception for what is behind their last model.
TEST(SunspecPoll, ADeviceThatAnswersSoBehindItsLastModelForEverIsReadAfterAMinute) {
  SunspecLine whole;
  whole.device_at({});
  whole.start({whole.setup()});
  whole.shop.clock.advance(7s);
  const auto end = *std::ranges::max_element(whole.bus[1].firsts);
  SunspecLine line;
  const auto device = line.device_at({});
  line.bus[1].refuses_with = 4;
  line.bus[1].refuses_from = end;
  line.start({line.setup()});
  line.shop.clock.advance(30s);
  EXPECT_FALSE(line.serves(40'069 + 2, 10));
  line.shop.clock.advance(50s);
  EXPECT_GT(line.wrong_of_good(*device).second, 20u);
}

// What the old place is answered with then says nothing: only a walk can tell.
TEST(SunspecPoll, ADeviceThatMovedAndRefusesItsOldPlaceInUnclearWordsIsWalkedAfterAMinute) {
  SunspecLine line;
  line.device_at({50'000, 0});
  line.start({line.setup()});
  line.shop.clock.advance(2min);
  const auto device = line.device_at({0, 0});
  line.bus[1].refuses_with = 4;
  line.bus[1].refuses_from = 1'000;
  line.bus.hang_up();
  line.shop.clock.advance(90s);
  EXPECT_GT(line.wrong_of_good(*device).second, 20u);
}

TEST(SunspecPoll, TheGroupsOfADeviceWalkOnce) {
  SunspecLine line;
  const auto device = line.device_at({50'000, 5});
  auto setup = line.setup();
  for (auto& point : setup.points.own())
    if (point.name == "current_total") point.interval = 1s;
  line.start({setup});
  line.shop.clock.advance(20s);
  EXPECT_EQ(line.asked_at(50'000), 1u);
  const auto [wrong, good] = line.wrong_of_good(*device);
  EXPECT_GT(good, 20u);
  EXPECT_EQ(wrong, "");
}

}  // namespace
}  // namespace lightship::poller
