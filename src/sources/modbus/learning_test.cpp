// What a device refuses is learned in few requests, remembered by its model, and doubted again.
#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/file.h"
#include "sources/modbus/testing/simulated_bus.h"

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;

std::vector<int> from_to(int first, int last) {
  std::vector<int> all;
  for (int at = first; at <= last; ++at) all.push_back(at);
  return all;
}

struct Learning {
  Workshop shop;
  SimulatedBus bus{shop};

  // Values that were good in the newest reading of each point.
  std::size_t good() const {
    std::map<PointId, bool> newest;
    for (const auto& readings : shop.seen)
      for (const auto& reading : readings.readings)
        newest[reading.point] = reading.reason == Reason::none;
    return static_cast<std::size_t>(
        std::ranges::count_if(newest, [](const auto& one) { return one.second; }));
  }
  std::string reason_of(const char* point) {
    const auto& state = shop.cache.point(*shop.catalog.find_point(point));
    return to_string(state.reason, state.code);
  }
  // Requests of one quiet poll at the end.
  std::size_t requests_per_poll(int unit, Duration every) {
    const auto now = shop.clock.mono();
    return static_cast<std::size_t>(
        std::ranges::count_if(bus[unit].asked, [&](const auto at) { return at > now - every; }));
  }
  void run(std::vector<DeviceSetup> devices, Duration so_long) {
    LineSource line(shop.context, bus.line(std::move(devices)));
    shop.run(line, so_long);
  }
};

TEST(Learning, SplitsAroundAHoleAndKeepsTheRestJoined) {
  Learning all;
  all.bus[1].holes = {12};
  // 0..9, a gap 10..14, 15..24, a gap 25..27, 28..37
  auto points = from_to(0, 9);
  for (const auto& more : {from_to(15, 24), from_to(28, 37)})
    points.insert(points.end(), more.begin(), more.end());
  all.run({SimulatedBus::meter(1, 5s, points)}, 19s);
  EXPECT_EQ(all.good(), points.size());
  EXPECT_EQ(all.requests_per_poll(1, 5s), 2u);  // the second gap is still read along
  EXPECT_EQ(all.bus[1].counts.back(), 23);      // 15..37
}

TEST(Learning, APointThatIsRefusedCostsTheOthersNothing) {
  Learning all;
  all.bus[1].holes = {17};
  all.run({SimulatedBus::meter(1, 5s, from_to(0, 39))}, 29s);
  EXPECT_EQ(all.good(), 39u);
  EXPECT_EQ(all.reason_of("panel/meter-1/p17"), "exception_2");
  EXPECT_EQ(all.requests_per_poll(1, 5s), 2u);
}

TEST(Learning, ARefusedPointIsTriedAgainRarelyAndComesBack) {
  Learning all;
  all.bus[1].holes = {17};
  LineSource line(all.shop.context, all.bus.line({SimulatedBus::meter(1, 5s, from_to(0, 39))}));
  TaskGroup group(all.shop.loop.get_executor());
  group.spawn(Workshop::keep(line));
  all.shop.clock.advance(30s);
  const auto tried = [&] {
    std::size_t count = 0;
    for (std::size_t i = 0; i < all.bus[1].counts.size(); ++i)
      count += all.bus[1].counts[i] == 1 && all.bus[1].firsts[i] == 17;
    return count;
  };
  const auto at_first = tried();
  all.shop.clock.advance(24h);
  EXPECT_GE(tried() - at_first, 4u);
  EXPECT_LE(tried() - at_first, 6u);
  all.bus[1].holes = {};
  line.nudge();
  all.shop.clock.advance(20s);
  EXPECT_EQ(all.reason_of("panel/meter-1/p17"), "none");
  EXPECT_EQ(all.requests_per_poll(1, 5s), 1u);
  group.cancel();
  all.shop.clock.settle();
}

TEST(Learning, ManyHolesAreAllFound) {
  Learning all;
  all.bus[1].holes = {3, 4, 20, 41, 66, 90, 119};
  all.run({SimulatedBus::meter(1, 5s, from_to(0, 124))}, 29s);
  EXPECT_EQ(all.good(), 118u);
  EXPECT_LT(all.bus[1].asked.size(), 150u);
}

TEST(Learning, FindsALimitOf50Registers) {
  Learning all;
  all.bus[1].refuses_above = 50;
  all.run({SimulatedBus::meter(1, 5s, from_to(0, 119))}, 19s);
  EXPECT_EQ(all.good(), 120u);
  EXPECT_EQ(all.requests_per_poll(1, 5s), 3u);
  EXPECT_EQ(all.bus[1].counts.back(), 20);
}

TEST(Learning, TellsThatALearnedLimitWasWrong) {
  Learning all;
  all.bus[1].refuses_above = 50;
  LineSource line(all.shop.context, all.bus.line({SimulatedBus::meter(1, 5s, from_to(0, 119))}));
  const auto log = all.shop.keep_log();
  all.shop.run(line, 1min);
  EXPECT_NE(log().find("the device gives not more than so much"), std::string::npos)
      << log().substr(0, 4000);
  all.bus[1].refuses_above = 125;
  all.shop.run(line, 25h);
  EXPECT_NE(log().find("the limit was wrong, longer reads are answered device=panel/meter-1 "
                       "limit_was=50 answered=51"),
            std::string::npos)
      << log().substr(0, 4000);
  EXPECT_EQ(all.bus[1].counts.back(), 120);
}

TEST(Learning, TellsThatAConfiguredLimitIsTooHigh) {
  Learning all;
  all.bus[1].refuses_above = 50;
  auto meter = SimulatedBus::meter(1, 5s, from_to(0, 119));
  meter.limits.max_registers = 100;
  meter.limit_given = true;
  const auto log = all.shop.keep_log();
  all.run({meter}, 19s);
  EXPECT_NE(log().find("lower it device=panel/meter-1 most=50 first=0 asked=100"),
            std::string::npos)
      << log().substr(0, 4000);
}

TEST(Learning, FindsALimitAboveWhichTheDeviceIsSilent) {
  Learning all;
  all.bus[1].silent_above = 80;
  all.run({SimulatedBus::meter(1, 5s, from_to(0, 119))}, 5min);
  EXPECT_EQ(all.good(), 120u);
  EXPECT_EQ(all.requests_per_poll(1, 5s), 2u);
  const auto told = all.shop.metrics.prometheus();
  EXPECT_EQ(std::ranges::max(std::span(all.bus[1].counts).last(10)), 80) << told;
}

TEST(Learning, FindsARegisterOnWhichTheDeviceIsSilent) {
  Learning all;
  all.bus[1].holes = {50};
  all.bus[1].silent_on_holes = true;
  all.run({SimulatedBus::meter(1, 5s, {0, 1, 2, 50, 51, 52})}, 5min);
  EXPECT_EQ(all.good(), 5u);
  EXPECT_EQ(all.reason_of("panel/meter-1/p50"), "timeout");
}

TEST(Learning, TakesADyingDeviceForNoHole) {
  Learning all;
  LineSource line(all.shop.context, all.bus.line({SimulatedBus::meter(1, 5s, from_to(0, 119))}));
  TaskGroup group(all.shop.loop.get_executor());
  group.spawn(Workshop::keep(line));
  for (int i = 0; i < 40; ++i) {
    all.bus[1].dead = i % 3 == 0;
    all.shop.clock.advance(3700ms);
  }
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  line.describe_status(json);
  EXPECT_NE(text.find("\"max_registers\":null"), std::string::npos) << text;
  EXPECT_NE(text.find("\"holes\":[]"), std::string::npos) << text;
  group.cancel();
  all.shop.clock.settle();
}

TEST(Learning, FindsThePauseADeviceNeeds) {
  Learning all;
  all.bus[1].needs_pause = 30ms;
  auto points = from_to(0, 3);
  points.push_back(100);
  all.run({SimulatedBus::meter(1, 1s, points)}, 1min);
  EXPECT_EQ(all.good(), 5u);
  const auto retries =
      all.shop.metrics.counter("modbus_retries_total", "", {{"device", "panel/meter-1"}});
  EXPECT_LE(retries.value, 12u);
}

TEST(Learning, ChangesNothingThatTheConfigurationSays) {
  Learning all;
  all.bus[1].refuses_above = 50;
  auto meter = SimulatedBus::meter(1, 5s, from_to(0, 119));
  meter.limits.max_registers = 100;
  meter.limit_given = true;
  all.run({meter}, 19s);
  EXPECT_EQ(std::ranges::max(all.bus[1].counts), 100);
  EXPECT_EQ(all.bus[1].counts.back(), 20);
}

TEST(Learning, CanBeSwitchedOff) {
  Learning all;
  all.bus[1].holes = {17};
  auto meter = SimulatedBus::meter(1, 5s, from_to(0, 39));
  meter.learns = false;
  all.run({meter}, 19s);
  EXPECT_EQ(all.good(), 0u);
  EXPECT_EQ(all.bus[1].asked.size(), 4u);
}

TEST(Learning, AModelTeachesItsOtherDevices) {
  Learning all;
  std::vector<DeviceSetup> meters;
  for (int unit = 1; unit <= 3; ++unit) {
    all.bus[unit].holes = {12};
    all.bus[unit].refuses_above = 20;
    meters.push_back(SimulatedBus::meter(unit, 5s, from_to(0, 9)));
    for (const int at : from_to(15, 60))
      meters.back().points.push_back(SimulatedBus::meter(1, 5s, {at}).points[0]);
    meters.back().info.model = "acme_m4";
  }
  meters[1].info.poll_interval = meters[2].info.poll_interval = 5s;
  all.run(meters, 29s);
  EXPECT_EQ(all.good(), 3 * 56u);
  EXPECT_LT(all.bus[2].asked.size() + all.bus[3].asked.size(), 2 * all.bus[1].asked.size());
}

struct KeptOnDisk : Learning {
  std::filesystem::path folder;
  // The files are written by a thread of its own, in its own time.
  void run(std::vector<DeviceSetup> devices, Duration so_long) {
    LineSource line(shop.context, bus.line(std::move(devices)));
    TaskGroup group(shop.loop.get_executor());
    group.spawn(Workshop::collect(shop));
    group.spawn(Workshop::keep(line));
    shop.clock.advance(so_long);
    group.cancel();
    while (group.running() > 0) {
      shop.loop.restart();
      shop.loop.run_one_for(10ms);
    }
  }
  KeptOnDisk() {
    std::string name = (std::filesystem::temp_directory_path() / "lightship-learned-XXXXXX");
    folder = ::mkdtemp(name.data());
    shop.context.data_dir = folder;
  }
  ~KeptOnDisk() { std::filesystem::remove_all(folder); }
};

TEST(Learning, ReadsOfOneModelAreRememberedAsJson) {
  LearnedModels models;
  auto memory = std::make_shared<ModelMemory>();
  memory->learned.max_registers = 50;
  memory->learned.pause = 40ms;
  memory->learned.why = "not more than 50 registers in one answer";
  const Time now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 4);
  memory->learned.since = memory->learned.found = now;
  memory->learned.holes.push_back({Space::holding, 10, 5, false, 2, now, now});
  models["acme_m4"] = memory;
  const auto back = learned_from_json(to_json(models), now + 24h);
  ASSERT_TRUE(back) << back.error().text;
  const auto& model = back->at("acme_m4")->learned;
  EXPECT_EQ(model.max_registers, 50);
  EXPECT_EQ(model.pause, 40ms);
  ASSERT_EQ(model.holes.size(), 1u);
  EXPECT_EQ(model.holes[0].first, 10);
  EXPECT_EQ(to_json(*back), to_json(models));
  // What nobody has found for a month is forgotten.
  EXPECT_TRUE(learned_from_json(to_json(models), now + 31 * 24h)->empty());
}

TEST(Learning, RefusesAFileThatIsNotItsOwn) {
  const Time now{};
  EXPECT_FALSE(learned_from_json("{", now));
  EXPECT_FALSE(learned_from_json("[]", now));
  EXPECT_FALSE(learned_from_json(R"({"version":2,"models":{}})", now));
  EXPECT_FALSE(learned_from_json(R"({"version":1,"models":{"m":{"max_registers":0}}})", now));
  EXPECT_TRUE(learned_from_json(R"({"version":1,"models":{}})", now));
}

TEST(Learning, OutlivesARestart) {
  KeptOnDisk all;
  all.bus[1].holes = {12};
  auto meter = SimulatedBus::meter(1, 5s, from_to(0, 9));
  for (const int at : from_to(15, 24))
    meter.points.push_back(SimulatedBus::meter(1, 5s, {at}).points[0]);
  all.run({meter}, 19s);
  ASSERT_TRUE(std::filesystem::exists(all.folder / "learned.json"));
  all.shop.heirlooms.clear();  // a new program
  all.bus[1].asked.clear();
  all.run({meter}, 4s);
  EXPECT_EQ(all.bus[1].asked.size(), 2u);
}

TEST(Learning, BeginsAnewWithADamagedFile) {
  KeptOnDisk all;
  all.bus[1];
  ASSERT_TRUE(write_file_atomic(all.folder / "learned.json", "{\"version\":1,"));
  all.run({SimulatedBus::meter(1, 5s, {0})}, 4s);
  EXPECT_EQ(all.good(), 1u);
  EXPECT_FALSE(std::filesystem::exists(all.folder / "learned.json"));
  EXPECT_TRUE(std::filesystem::exists(all.folder / "learned.json.damaged"));
}

}  // namespace
}  // namespace lightship::poller
