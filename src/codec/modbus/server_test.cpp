// The order in which a server checks, and what it answers on its map.
#include "codec/modbus/server.h"

#include <random>

#include <gtest/gtest.h>

#include "codec/modbus/reply.h"
#include "codec/modbus/vectors_for_test.h"

namespace lightship::modbus {
namespace {

std::string said(MemoryMap& map, std::string_view pdu, std::uint8_t unit = 1) {
  return to_hex(answer(map, unit, hex(pdu)));
}

TEST(Server, IsSilentToNothingAndToBroadcasts) {
  auto map = golden_map();
  EXPECT_EQ(said(map, ""), "");
  EXPECT_EQ(said(map, "03 00 00 00 01", kBroadcast), "");
  EXPECT_EQ(said(map, "41", kBroadcast), "");
  EXPECT_EQ(said(map, "06 00 05 AB CD", kBroadcast), "");
  EXPECT_EQ(map.holding[5], 0xABCD);
  EXPECT_EQ(said(map, "08 00 04 00 00"), "");  // listen only
}

TEST(Server, LooksAtFunctionThenCountThenRange) {
  auto map = golden_map();
  EXPECT_EQ(said(map, "41 00 01"), "C1 01");
  EXPECT_EQ(said(map, "14 00"), "94 01");  // known, not served, and ill-formed besides
  EXPECT_EQ(said(map, "03 FF FF 00 7E"), "83 03");
  EXPECT_EQ(said(map, "03 01 2B 00 02"), "83 02");
  EXPECT_EQ(said(map, "17 00 00 00 01 01 2C 00 01 02 00 01"), "97 02");
  EXPECT_EQ(map.holding[0], 0x1000);
}

TEST(Server, AnswersWhatTheMapSaysWhenItCannot) {
  struct Busy : MemoryMap {
    using MemoryMap::MemoryMap;
    std::optional<Exception> read(Space, std::uint16_t, std::span<std::uint16_t>) override {
      return Exception::busy;
    }
    std::optional<Exception> write(std::uint16_t, std::span<const std::uint16_t>) override {
      return Exception::device_failure;
    }
  } map(10);
  EXPECT_EQ(said(map, "03 00 00 00 01"), "83 06");
  EXPECT_EQ(said(map, "16 00 00 00 00 00 00"), "96 06");
  EXPECT_EQ(said(map, "06 00 00 00 00"), "86 04");
}

TEST(Server, MasksARegister) {
  auto map = golden_map();
  map.holding[4] = 0x12;
  EXPECT_EQ(said(map, "16 00 04 00 F2 00 25"), "16 00 04 00 F2 00 25");
  EXPECT_EQ(map.holding[4], 0x17);
}

TEST(Server, WithoutAnIdRefusesToSayIt) {
  MemoryMap map(1);
  EXPECT_EQ(said(map, "11"), "91 01");
  EXPECT_EQ(said(map, "2B 0E 01 00"), "AB 01");
}

TEST(Server, IdentifiesItselfInAsManyPiecesAsNeeded) {
  MemoryMap map(1);
  for (int id = 0; id < 7; ++id)
    map.objects[static_cast<std::uint8_t>(id)] = std::string(100, static_cast<char>('A' + id));
  std::string all;
  Identify request{2, 0};
  for (int round = 0; round < 10; ++round) {
    const auto pdu = answer(map, 1, encode(Request(request)));
    EXPECT_LE(pdu.size(), kMaxPdu);
    const auto reply = decode_reply(request, pdu);
    ASSERT_TRUE(reply) << reply.error().text;
    const auto& part = std::get<Identification>(reply->body);
    for (const auto& object : part.objects) all += object.text[0];
    if (!part.next) break;
    request.object = *part.next;
  }
  EXPECT_EQ(all, "ABCDEFG");
}

TEST(Server, BeginsAtZeroForAnUnknownStartAndRefusesAnUnknownObject) {
  auto map = golden_map();
  EXPECT_EQ(said(map, "2B 0E 01 77"), said(map, "2B 0E 01 00"));
  EXPECT_EQ(said(map, "2B 0E 04 77"), "AB 02");
  EXPECT_EQ(said(map, "2B 0E 05 00"), "AB 03");
}

TEST(Server, AnswersAnythingWithAnAnswerOfThatFunction) {
  std::minstd_rand random(3);
  auto map = golden_map();
  for (int round = 0; round < 20000; ++round) {
    ByteVector pdu(1 + random() % 300);
    for (auto& byte : pdu)
      byte = static_cast<std::uint8_t>(random() % 3 == 0 ? random() : random() % 4);
    const auto answered = answer(map, 1, pdu);
    if (answered.empty()) continue;
    ASSERT_LE(answered.size(), kMaxPdu);
    ASSERT_EQ(answered[0] & 0x7F, pdu[0] & 0x7F);
    if (const auto request = decode_request(pdu))
      ASSERT_EQ(judge(*request, answered), Verdict::good) << to_hex(pdu);
  }
}

}  // namespace
}  // namespace lightship::modbus
