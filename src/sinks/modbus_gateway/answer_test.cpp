// What each request is answered, and in which order it is checked.
#include "sinks/modbus_gateway/answer.h"

#include <gtest/gtest.h>

#include "base/hex.h"
#include "sinks/modbus_gateway/house_for_test.h"

namespace lightship::gateway {
namespace {

using namespace std::chrono_literals;

// Unit 11 is the meter; 200 holds mapped points where a test lays some.
struct Desk {
  explicit Desk(std::vector<MapEntry> map = {}, std::optional<Duration> max_age = {},
                bool pass_through = false)
      : units(house.catalog, house.cache, {{"main-panel/meter-1", 11, max_age}},
              config_with(std::move(map))),
        answerer(units, tally, pass_through) {
    house.read(meter, Space::holding, 100, 4, "00 01 00 02 00 03 00 04");
    house.read(meter, Space::holding, 104, 1, "00 05");
    house.read(meter, Space::holding, 65534, 2, "FF FE FF FF");
    house.read(meter, Space::coils, 0, 10, "35 02");
  }
  static GatewayConfig config_with(std::vector<MapEntry> map) {
    GatewayConfig config;
    config.map = std::move(map);
    return config;
  }
  Step take(std::string_view request) {
    out.clear();
    return answerer.answer(hex(request), house.clock.mono(), out);
  }
  // Unit, function and data of a request and of its answer.
  std::string ask(std::string_view request) {
    const auto pdu = hex(request);
    const auto frame = modbus::mbap::frame(0x0102, pdu[0], Bytes(pdu).subspan(1));
    out.clear();
    const auto step = answerer.answer(frame, house.clock.mono(), out);
    EXPECT_EQ(step.used, frame.size());
    const auto adu = modbus::mbap::next_adu(out);
    if (!adu || adu->size != out.size() || adu->transaction != 0x0102)
      return "no frame: " + to_hex(out);
    return to_hex(Bytes(out).subspan(6));
  }

  House house;
  DeviceId meter = house.meter();
  Tally tally{house.metrics};
  Units units;
  Answerer answerer;
  ByteVector out;
};

TEST(GatewayAnswer, RegistersComeFromTheCache) {
  Desk desk;
  EXPECT_EQ(desk.ask("0B 03 00 64 00 02"), "0B 03 04 00 01 00 02");
  EXPECT_EQ(desk.tally.requests.value, 1U);
}

TEST(GatewayAnswer, TransactionAndUnitAreCopied) {
  Desk desk;
  desk.take("BE EF 00 00 00 06 0B 03 00 64 00 01");
  EXPECT_EQ(to_hex(desk.out), "BE EF 00 00 00 05 0B 03 02 00 01");
}

TEST(GatewayAnswer, CoilsArePackedAndTheUnusedBitsAreZero) {
  Desk desk;
  EXPECT_EQ(desk.ask("0B 01 00 00 00 0A"), "0B 01 02 35 02");
  EXPECT_EQ(desk.ask("0B 01 00 02 00 04"), "0B 01 01 0D");
}

TEST(GatewayAnswer, NeighbouringBlocksAreReadAsOne) {
  Desk desk;
  EXPECT_EQ(desk.ask("0B 03 00 66 00 03"), "0B 03 06 00 03 00 04 00 05");
}

TEST(GatewayAnswer, AnUnknownUnitIsToldBeforeAnythingElseIsLookedAt) {
  Desk desk;
  EXPECT_EQ(desk.ask("0C 63 00"), "0C E3 0A");
  EXPECT_EQ(desk.ask("0C 03 00 64 00 00"), "0C 83 0A");
  EXPECT_EQ(desk.ask("00 03 00 64 00 01"), "00 83 0A");
  EXPECT_EQ(desk.ask("FF 03 00 64 00 01"), "FF 83 0A");
  EXPECT_EQ(desk.tally.exceptions(10), 4U);
}

TEST(GatewayAnswer, WritesAndOtherFunctionsAreRefused) {
  Desk desk;
  EXPECT_EQ(desk.ask("0B 06 00 64 00 01"), "0B 86 01");
  EXPECT_EQ(desk.ask("0B 10 00 64 00 01 02 00 07"), "0B 90 01");
  EXPECT_EQ(desk.ask("0B 2B 0E 01 00"), "0B AB 01");
  EXPECT_EQ(desk.ask("0B 00"), "0B 80 01");
  EXPECT_EQ(desk.ask("0B 83 00 64 00 01"), "0B 83 01");
}

TEST(GatewayAnswer, ACountOfNoneOrTooManyIsToldBeforeTheAddress) {
  Desk desk;
  EXPECT_EQ(desk.ask("0B 03 00 00 00 00"), "0B 83 03");
  EXPECT_EQ(desk.ask("0B 03 00 00 00 7E"), "0B 83 03");  // 126
  EXPECT_EQ(desk.ask("0B 03 00 00 00 7D"), "0B 83 02");  // 125, but not polled
  EXPECT_EQ(desk.ask("0B 04 00 00 00 7E"), "0B 84 03");
  EXPECT_EQ(desk.ask("0B 01 00 00 07 D1"), "0B 81 03");  // 2001
  EXPECT_EQ(desk.ask("0B 01 00 00 07 D0"), "0B 81 02");  // 2000
  EXPECT_EQ(desk.ask("0B 02 00 00 07 D1"), "0B 82 03");
}

TEST(GatewayAnswer, ARequestOfTheWrongLengthHasNoValidCount) {
  Desk desk;
  EXPECT_EQ(desk.ask("0B 03 00 64 00"), "0B 83 03");
  EXPECT_EQ(desk.ask("0B 03 00 64 00 01 00"), "0B 83 03");
  EXPECT_EQ(desk.ask("0B 03"), "0B 83 03");
}

TEST(GatewayAnswer, WhatIsNotPolledIsNoAddress) {
  Desk desk;
  EXPECT_EQ(desk.ask("0B 03 00 63 00 02"), "0B 83 02");  // begins one before
  EXPECT_EQ(desk.ask("0B 03 00 68 00 02"), "0B 83 02");  // ends one behind
  EXPECT_EQ(desk.ask("0B 02 00 00 00 01"), "0B 82 02");  // polled as coils only
}

TEST(GatewayAnswer, NotPolledIsToldBeforeNotYetRead) {
  Desk desk;
  EXPECT_EQ(desk.ask("0B 03 00 6E 00 02"), "0B 83 0B");
  EXPECT_EQ(desk.ask("0B 03 00 6E 00 03"), "0B 83 02");
}

TEST(GatewayAnswer, FunctionsThreeAndFourAreSeparateSpaces) {
  Desk desk;
  EXPECT_EQ(desk.ask("0B 04 00 64 00 01"), "0B 84 0B");
  desk.house.read(desk.meter, Space::input, 100, 1, "00 2A");
  EXPECT_EQ(desk.ask("0B 04 00 64 00 01"), "0B 04 02 00 2A");
  EXPECT_EQ(desk.ask("0B 04 00 65 00 01"), "0B 84 02");
}

TEST(GatewayAnswer, TheLastAddressCanBeReadAndNothingPastIt) {
  Desk desk;
  EXPECT_EQ(desk.ask("0B 03 FF FE 00 02"), "0B 03 04 FF FE FF FF");
  EXPECT_EQ(desk.ask("0B 03 FF FF 00 01"), "0B 03 02 FF FF");
  EXPECT_EQ(desk.ask("0B 03 FF FE 00 03"), "0B 83 02");
  EXPECT_EQ(desk.ask("0B 03 00 00 00 01"), "0B 83 02");
}

TEST(GatewayAnswer, OldNumbersAreNeverGiven) {
  Desk desk;
  desk.house.clock.advance(180s);
  EXPECT_EQ(desk.ask("0B 03 00 64 00 01"), "0B 03 02 00 01");
  desk.house.clock.advance(1ms);
  EXPECT_EQ(desk.ask("0B 03 00 64 00 01"), "0B 83 0B");
  EXPECT_EQ(desk.tally.exceptions(11), 1U);
}

TEST(GatewayAnswer, OneOldRegisterSpoilsTheWholeRange) {
  Desk desk;
  desk.house.clock.advance(181s);
  desk.house.read(desk.meter, Space::holding, 100, 4, "00 01 00 02 00 03 00 04");
  EXPECT_EQ(desk.ask("0B 03 00 64 00 04"), "0B 03 08 00 01 00 02 00 03 00 04");
  EXPECT_EQ(desk.ask("0B 03 00 64 00 05"), "0B 83 0B");
}

TEST(GatewayAnswer, ADeviceMayBeStricterThanTheGatewayButNotLaxer) {
  Desk strict({}, 10s);
  strict.house.clock.advance(11s);
  EXPECT_EQ(strict.ask("0B 03 00 64 00 01"), "0B 83 0B");
  Desk lax({}, 1h);
  lax.house.clock.advance(181s);
  EXPECT_EQ(lax.ask("0B 03 00 64 00 01"), "0B 83 0B");
}

TEST(GatewayAnswer, AllWholeRequestsOfOnePieceAreAnsweredAndTheTornOneIsLeft) {
  Desk desk;
  const auto step = desk.take(
      "00 01 00 00 00 06 0B 03 00 64 00 01  00 02 00 00 00 06 0B 03 00 65 00 01  00 03 00 00 00");
  EXPECT_EQ(step.why, Step::Why::need_more);
  EXPECT_EQ(step.used, 24U);
  EXPECT_EQ(to_hex(desk.out), "00 01 00 00 00 05 0B 03 02 00 01 00 02 00 00 00 05 0B 03 02 00 02");
}

TEST(GatewayAnswer, AHeaderThatIsNoneEndsTheConversation) {
  Desk desk;
  EXPECT_EQ(desk.take("00 01 00 01 00 06 0B 03 00 64 00 01").why, Step::Why::lost);
  EXPECT_EQ(desk.take("00 01 00 00 00 01 0B").why, Step::Why::lost);
  EXPECT_EQ(desk.take("00 01 00 00 00 FF 0B 03").why, Step::Why::lost);
  EXPECT_EQ(desk.take("47 45 54 20 2F 20").why, Step::Why::lost);  // "GET / "
  EXPECT_TRUE(desk.out.empty());
  EXPECT_EQ(desk.tally.requests.value, 0U);
}

TEST(GatewayAnswer, AnswersAreCollectedUpToOneSend) {
  Desk desk;
  desk.house.cache.image(desk.meter).declare({{Space::holding, 0, 125}});
  desk.house.read(desk.meter, Space::holding, 0, 125, std::string(500, '0'));
  ByteVector many;
  for (int i = 0; i < 100; ++i) put_bytes(many, hex("00 01 00 00 00 06 0B 03 00 00 00 7D"));
  const auto step = desk.answerer.answer(many, desk.house.clock.mono(), desk.out);
  EXPECT_EQ(step.why, Step::Why::enough);
  EXPECT_EQ(step.used, 12U * 64);
  EXPECT_LE(desk.out.size(), Answerer::kMostBytes);
}

TEST(GatewayAnswer, WithPassThroughTheDeviceIsAskedForWhatIsNotThere) {
  Desk desk({}, {}, true);
  const auto step =
      desk.take("00 01 00 00 00 06 0B 03 00 64 00 01  00 02 00 00 00 06 0B 03 00 6E 00 02");
  EXPECT_EQ(step.why, Step::Why::ask);
  EXPECT_EQ(step.used, 12U);
  EXPECT_EQ(step.ask.size, 12U);
  EXPECT_EQ(step.ask.device, desk.meter);
  EXPECT_EQ(step.ask.space, Space::holding);
  EXPECT_EQ(step.ask.first, 110);
  EXPECT_EQ(step.ask.count, 2);
  EXPECT_EQ(desk.take("00 02 00 00 00 06 0B 04 03 E8 00 02").why, Step::Why::ask);
}

TEST(GatewayAnswer, WithPassThroughImpossibleRequestsStillEndHere) {
  Desk desk({}, {}, true);
  EXPECT_EQ(desk.ask("0C 03 00 6E 00 02"), "0C 83 0A");
  EXPECT_EQ(desk.ask("0B 03 00 6E 00 00"), "0B 83 03");
  EXPECT_EQ(desk.ask("0B 03 FF FE 00 03"), "0B 83 02");
  EXPECT_EQ(desk.ask("0B 06 00 6E 00 02"), "0B 86 01");
}

TEST(GatewayAnswer, WhatTheDeviceSaidIsRelayed) {
  Desk desk;
  const Ask ask{.transaction = 7,
                .unit = 11,
                .device = desk.meter,
                .space = Space::holding,
                .first = 110,
                .count = 1};
  const auto relayed = [&](const Result<ByteVector>& said) {
    desk.out.clear();
    desk.answerer.relay(ask, said, desk.out);
    return to_hex(desk.out);
  };
  EXPECT_EQ(relayed(hex("00 2A")), "00 07 00 00 00 05 0B 03 02 00 2A");
  EXPECT_EQ(relayed(std::unexpected(Error{Errc::refused, "", 4})), "00 07 00 00 00 03 0B 83 04");
  EXPECT_EQ(relayed(fail(Errc::timeout, "")), "00 07 00 00 00 03 0B 83 0B");
  EXPECT_EQ(relayed(fail(Errc::unavailable, "")), "00 07 00 00 00 03 0B 83 0A");
  EXPECT_EQ(relayed(hex("00 2A 00")), "00 07 00 00 00 03 0B 83 0B");
}

}  // namespace
}  // namespace lightship::gateway
