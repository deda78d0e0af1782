// Echo requests and what comes back, byte by byte.
#include "codec/icmp/echo.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace lightship::icmp {
namespace {

constexpr Echo kOurs{0x1234, 7, 0x0102030405060708};

// An IPv4 packet with that message in it; `offset`: in fragments' units.
ByteVector in_v4(Bytes message, std::uint8_t protocol = 1, std::uint8_t offset = 0) {
  auto packet = hex("45 00 00 54 00 00 00 00 40 01 00 00 C0 00 02 01 C0 00 02 02");
  packet[7] = offset;
  packet[9] = protocol;
  put_bytes(packet, message);
  return packet;
}

ByteVector in_v6(Bytes message, std::uint8_t next = 58) {
  ByteVector packet(40);
  packet[0] = 0x60;
  packet[6] = next;
  put_bytes(packet, message);
  return packet;
}

ByteVector error(Version version, std::uint8_t type, std::uint8_t code, Bytes about) {
  ByteVector message{type, code, 0, 0, 0, 0, 0, 0};
  put_bytes(message, about);
  if (version == Version::v4) {
    const auto sum = checksum(message);
    message[2] = static_cast<std::uint8_t>(sum >> 8);
    message[3] = static_cast<std::uint8_t>(sum);
  }
  return message;
}

ByteVector reply(Version version, const Echo& echo) {
  auto message = encode_request(version, echo);
  message[0] = version == Version::v4 ? 0 : 129;
  if (version == Version::v4) {
    message[2] = message[3] = 0;
    const auto sum = checksum(message);
    message[2] = static_cast<std::uint8_t>(sum >> 8);
    message[3] = static_cast<std::uint8_t>(sum);
  }
  return message;
}

TEST(IcmpEcho, ARequestHasTypeChecksumIdentifierSequenceAndToken) {
  EXPECT_EQ(to_hex(encode_request(Version::v4, kOurs, 8)),
            to_hex(hex("08 00 D5 B0 12 34 00 07 01 02 03 04 05 06 07 08")));
  EXPECT_EQ(to_hex(encode_request(Version::v6, kOurs, 8)),
            to_hex(hex("80 00 00 00 12 34 00 07 01 02 03 04 05 06 07 08")));
  EXPECT_EQ(encode_request(Version::v4, kOurs).size(), 64U);
}

TEST(IcmpEcho, TheChecksumIsThatOfRfc1071) {
  // The example of RFC 1071, 3: the sum is DDF2.
  EXPECT_EQ(checksum(hex("00 01 F2 03 F4 F5 F6 F7")), static_cast<std::uint16_t>(~0xDDF2));
  EXPECT_EQ(checksum(hex("00 01 F2")), static_cast<std::uint16_t>(~0xF201));
  EXPECT_EQ(checksum(encode_request(Version::v4, kOurs, 57)), 0);
}

TEST(IcmpEcho, AReplyCarriesWhatWasAsked) {
  for (const auto version : {Version::v4, Version::v6}) {
    const auto heard = decode(version, reply(version, kOurs));
    ASSERT_TRUE(heard && *heard);
    EXPECT_EQ((*heard)->kind, Kind::reply);
    EXPECT_EQ((*heard)->echo, kOurs);
  }
}

TEST(IcmpEcho, AWrongChecksumOfVersion4IsMalformed) {
  auto bytes = reply(Version::v4, kOurs);
  bytes.back() ^= 1;
  EXPECT_EQ(decode(Version::v4, bytes).error().code, Errc::malformed);
}

TEST(IcmpEcho, WhatIsTooShortIsMalformed) {
  EXPECT_EQ(decode(Version::v4, hex("00 00 00")).error().code, Errc::malformed);
  EXPECT_EQ(decode(Version::v6, {}).error().code, Errc::malformed);
}

TEST(IcmpEcho, ARequestOfSomebodyElseIsNothing) {
  EXPECT_FALSE(*decode(Version::v4, encode_request(Version::v4, kOurs)));
  EXPECT_FALSE(*decode(Version::v6, encode_request(Version::v6, kOurs)));
}

TEST(IcmpEcho, AnErrorIsToldByItsKindAndSaysWhichRequestItIsAbout) {
  const auto request = encode_request(Version::v4, kOurs);
  auto heard = decode(Version::v4, error(Version::v4, 3, 1, in_v4(request)));
  ASSERT_TRUE(heard && *heard);
  EXPECT_EQ((*heard)->kind, Kind::unreachable);
  EXPECT_EQ((*heard)->echo, kOurs);
  EXPECT_EQ(reason(Version::v4, 3, 1), "host unreachable");
  heard = decode(Version::v4, error(Version::v4, 11, 0, in_v4(request)));
  EXPECT_EQ((*heard)->kind, Kind::time_exceeded);
  heard = decode(Version::v4, error(Version::v4, 3, 4, in_v4(request)));
  EXPECT_EQ((*heard)->kind, Kind::too_big);
  const auto request6 = encode_request(Version::v6, kOurs);
  heard = decode(Version::v6, error(Version::v6, 1, 0, in_v6(request6)));
  ASSERT_TRUE(heard && *heard);
  EXPECT_EQ((*heard)->kind, Kind::unreachable);
  EXPECT_EQ((*heard)->echo, kOurs);
  EXPECT_EQ(reason(Version::v6, 1, 0), "no route to the host");
}

TEST(IcmpEcho, AnErrorThatQuotesEightBytesOnlyHasNoToken) {
  const auto request = encode_request(Version::v4, kOurs);
  const auto heard = decode(Version::v4, error(Version::v4, 11, 0, in_v4(Bytes(request).first(8))));
  ASSERT_TRUE(heard && *heard);
  EXPECT_FALSE((*heard)->has_token);
  EXPECT_EQ((*heard)->echo.sequence, 7);
}

TEST(IcmpEcho, AnErrorAboutSomethingElseIsNothing) {
  const auto request = encode_request(Version::v4, kOurs);
  EXPECT_FALSE(*decode(Version::v4, error(Version::v4, 3, 3, in_v4(request, 17))));    // UDP
  EXPECT_FALSE(*decode(Version::v4, error(Version::v4, 3, 1, in_v4(request, 1, 5))));  // a fragment
  EXPECT_FALSE(*decode(Version::v4, error(Version::v4, 3, 1, in_v4(reply(Version::v4, kOurs)))));
  EXPECT_FALSE(*decode(Version::v4, error(Version::v4, 3, 1, {})));
  const auto request6 = encode_request(Version::v6, kOurs);
  EXPECT_FALSE(*decode(Version::v6, error(Version::v6, 1, 4, in_v6(request6, 17))));
}

TEST(IcmpEcho, UnwrapsTheMessageOfARawSocket) {
  const auto packet = in_v4(reply(Version::v4, kOurs));
  const auto inner = unwrap_v4(packet);
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->ttl, 64);
  EXPECT_EQ((*decode(Version::v4, inner->message))->echo, kOurs);
  EXPECT_FALSE(unwrap_v4(Bytes(packet).first(19)));
  auto wrong = packet;
  wrong[0] = 0x4F;
  EXPECT_FALSE(unwrap_v4(Bytes(wrong).first(40)));
  wrong[0] = 0x42;
  EXPECT_FALSE(unwrap_v4(wrong));
  EXPECT_FALSE(unwrap_v4(in_v4(reply(Version::v4, kOurs), 17)));
}

}  // namespace
}  // namespace lightship::icmp
