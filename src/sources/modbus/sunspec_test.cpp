// Chains as devices give them, and those that cannot be one.
#include "sources/modbus/sunspec.h"

#include <gtest/gtest.h>

#include "link/testing/on_loop.h"
#include "sources/modbus/device.h"

namespace lightship::poller {
namespace {

using Image = std::map<std::uint16_t, std::uint16_t>;

// A device as its holding registers: what is not there is answered with exception 2.
struct Peer {
  Image registers;
  std::vector<std::uint16_t> asked;

  static Task<Result<std::vector<std::uint16_t>>> answer(Peer& peer, std::uint16_t first,
                                                         std::uint16_t count) {
    peer.asked.push_back(first);
    std::vector<std::uint16_t> words;
    for (std::uint32_t at = first; at < std::uint32_t{first} + count; ++at) {
      const auto found = peer.registers.find(static_cast<std::uint16_t>(at));
      if (found == peer.registers.end())
        co_return std::unexpected(Error{Errc::refused, "illegal data address", 2});
      words.push_back(found->second);
    }
    co_return words;
  }
  Result<SunspecChain> walk() {
    asio::io_context loop;
    return link::on_loop(loop,
                         walk_sunspec([this](Space, std::uint16_t first, std::uint16_t count) {
                           return answer(*this, first, count);
                         }));
  }
};

Image device_at(std::uint16_t base,
                const std::vector<std::pair<std::uint16_t, std::uint16_t>>& models,
                bool with_end = true) {
  Image image{{base, 0x5375}, {base + 1, 0x6E53}};
  auto at = static_cast<std::uint16_t>(base + 2);
  for (const auto& [id, length] : models) {
    image[at] = id;
    image[at + 1] = length;
    at = static_cast<std::uint16_t>(at + 2 + length);
  }
  if (with_end) image.insert({{at, 0xFFFF}, {at + 1, 0}});
  return image;
}

DevicePoint point(std::string name, std::vector<SunspecPlace> places) {
  DevicePoint p;
  p.name = std::move(name);
  p.sunspec = std::move(places);
  return p;
}

TEST(SunspecWalk, FindsTheModelsOfAnInverterAt40000) {
  Peer peer{device_at(40000, {{1, 65}, {103, 50}}), {}};
  const auto chain = peer.walk();
  ASSERT_TRUE(chain) << chain.error().text;
  const SunspecChain expected{40000, {{1, 40002, 65}, {103, 40069, 50}}, true};
  EXPECT_EQ(*chain, expected);
  EXPECT_EQ(peer.asked, (std::vector<std::uint16_t>{40000, 40002, 40069, 40121}));
}

TEST(SunspecWalk, TriesTheOtherBases) {
  Peer peer{device_at(0, {{1, 66}, {203, 105}}), {}};
  const auto chain = peer.walk();
  ASSERT_TRUE(chain) << chain.error().text;
  EXPECT_EQ(chain->base, 0);
  EXPECT_EQ(chain->ids(), "1, 203");
  EXPECT_EQ(peer.asked.at(1), 50000);
}

TEST(SunspecWalk, SaysWhereItLookedWhenTheDeviceIsNone) {
  Peer peer{{{40000, 17}, {40001, 4}}, {}};
  const auto chain = peer.walk();
  ASSERT_FALSE(chain);
  EXPECT_EQ(chain.error().code, Errc::refused);
  EXPECT_EQ(chain.error().text, "no SunSpec device: \"SunS\" is not at 40000, 50000, 0");
}

TEST(SunspecWalk, TakesAChainWhoseEndIsMissing) {
  Peer peer{device_at(40000, {{1, 66}, {111, 60}}, false), {}};
  const auto chain = peer.walk();
  ASSERT_TRUE(chain);
  EXPECT_FALSE(chain->ended);
  EXPECT_EQ(chain->ids(), "1, 111");
}

TEST(SunspecWalk, RefusesAChainThatLeavesTheAddresses) {
  Peer peer{device_at(40000, {{1, 66}, {103, 40000}}), {}};
  const auto chain = peer.walk();
  ASSERT_FALSE(chain);
  EXPECT_EQ(chain.error().text,
            "the SunSpec model 103 at 40070 is said to have 40000 registers, which ends past "
            "register 65535");
}

TEST(SunspecWalk, EndsWithADeviceThatAnswersTheSameEverywhere) {
  Image image;
  for (std::uint32_t at = 40002; at < 50000; at += 2) {
    image[static_cast<std::uint16_t>(at)] = 5;
    image[static_cast<std::uint16_t>(at + 1)] = 0;
  }
  image.insert({{40000, 0x5375}, {40001, 0x6E53}});
  Peer peer{std::move(image), {}};
  const auto chain = peer.walk();
  ASSERT_FALSE(chain);
  EXPECT_EQ(chain.error().text, "the chain of SunSpec models has no end after 128");
  EXPECT_LE(peer.asked.size(), 3 + SunspecWalk::kMostModels);
}

TEST(SunspecWalk, RefusesZerosAndAnEmptyChain) {
  Peer zeros{{{40000, 0x5375}, {40001, 0x6E53}, {40002, 0}, {40003, 0}}, {}};
  EXPECT_EQ(zeros.walk().error().text, "the chain of SunSpec models has the id 0 at 40002");
  Peer empty{device_at(40000, {}), {}};
  EXPECT_EQ(empty.walk().error().text, "the SunSpec device has no models");
}

Result<std::vector<std::uint16_t>> exception(int code) {
  return std::unexpected(Error{Errc::refused, "exception", code});
}

TEST(SunspecWalk, TakesOnlyTheExceptions1To3AsAnAnswerAboutAPlace) {
  for (const int code : {1, 2, 3, 4, 5, 6, 8}) {
    SunspecWalk walk(kSunspecBases);
    walk.take(exception(code));
    walk.take(exception(2));
    walk.take(exception(2));
    EXPECT_FALSE(walk.next());
    ASSERT_FALSE(walk.result());
    EXPECT_EQ(is_unclear(walk.result().error()), code > 3) << code;
  }
  SunspecWalk gateway(kSunspecBases);
  gateway.take(exception(11));
  EXPECT_FALSE(gateway.next());
  EXPECT_EQ(gateway.result().error().detail, 11);
}

TEST(SunspecWalk, SaysThatItsEndIsUnclearWhereTheDeviceCannotAnswer) {
  SunspecWalk walk({40000});
  walk.take(std::vector<std::uint16_t>{0x5375, 0x6E53});
  walk.take(std::vector<std::uint16_t>{1, 66});
  walk.take(exception(4));
  ASSERT_TRUE(walk.result());
  EXPECT_FALSE(walk.result()->ended);
  EXPECT_EQ(walk.result()->unclear, 4);
  SunspecWalk early({40000});
  early.take(std::vector<std::uint16_t>{0x5375, 0x6E53});
  early.take(exception(6));
  EXPECT_EQ(early.result().error().detail, 6);
}

TEST(SunspecWalk, StopsAtOnceWhenTheDeviceIsSilent) {
  SunspecWalk walk(kSunspecBases);
  walk.take(std::unexpected(Error{Errc::timeout, "no answer", 0}));
  EXPECT_FALSE(walk.next());
  EXPECT_EQ(walk.result().error().code, Errc::timeout);
}

const SunspecChain kSolar{
    40000, {{1, 40002, 65}, {103, 40069, 50}, {1, 40121, 65}, {203, 40188, 105}}, true};

TEST(SunspecPoints, StandBehindTheirModelAndTheCommonOneBeforeIt) {
  const std::vector<DevicePoint> points{
      point("serial_number", {{{1}, 50, 16, {}, ""}}),
      point("frequency", {{{201, 202, 203, 204}, 16, 1, {}, "Hz_SF"}})};
  const auto found = resolve(points, kSolar);
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(found->at(0).where.address, 40121 + 50);
  EXPECT_EQ(found->at(1).where.address, 40188 + 16);
  EXPECT_EQ(found->at(1).scale_register, "Hz_SF");
}

TEST(SunspecPoints, AreTakenFromOneModelOnlyTheFirstThatFits) {
  const std::vector<DevicePoint> points{
      point("frequency", {{{203}, 16, 1, {}, ""}, {{103}, 16, 1, {}, ""}}),
      point("energy_import", {{{203}, 46, 2, {}, ""}})};
  const auto found = resolve(points, kSolar);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->at(0).where.address, 40069 + 16) << "the inverter stands first in the chain";
  EXPECT_EQ(found->at(1).where.count, 0) << "which has no such point";
}

TEST(SunspecPoints, AreLeftOutWhereTheModelIsShorter) {
  SunspecChain chain = kSolar;
  chain.models[1].length = 20;
  const auto found = resolve({point("events", {{{103}, 40, 2, {}, ""}})}, chain);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->at(0).where.count, 0);
}

TEST(SunspecPoints, NeedOneOfTheirModels) {
  const auto found = resolve({point("frequency", {{{111, 112}, 24, 2, {}, ""}})}, kSolar);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().text,
            "the device has the SunSpec models 1, 103, 1, 203, expected one of 111, 112");
}

TEST(SunspecPoints, LeaveThePointsThatAreNoSunspecAlone) {
  DevicePoint own;
  own.name = "mine";
  own.where = {Space::input, 7, 2};
  const auto found = resolve({own, point("frequency", {{{103}, 16, 1, {}, ""}})}, kSolar);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->at(0).where.address, 7);
}

}  // namespace
}  // namespace lightship::poller
