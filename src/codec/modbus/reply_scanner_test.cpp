// The search for an answer on a bad line: noise, echoes, frames of others, misleading starts.
#include "codec/modbus/reply_scanner.h"

#include <random>

#include <gtest/gtest.h>

#include "base/hex.h"
#include "codec/modbus/pdu.h"
#include "codec/modbus/rtu.h"

namespace lightship::modbus::rtu {
namespace {

const Request kTwo = Read{Function::read_holding_registers, 0, 2};
const ByteVector kSent = hex("01 03 00 00 00 02 C4 0B");
const std::string kGood = "01 03 04 10 00 11 01 33 63 ";

struct Told {
  Scan::Kind kind;
  std::string pdu;
  Rejects rejects;
  std::size_t undecided;
  friend bool operator==(const Told&, const Told&) = default;
};

Told tell(const ReplyScanner& scanner) {
  return {scanner.next().kind, to_hex(scanner.next().pdu), scanner.rejects(), scanner.undecided()};
}

// Whole and byte by byte, which must come to the same.
Told scan(const Request& request, Bytes sent, Bytes stream, Echo echo = Echo::unknown) {
  ReplyScanner whole(sent[0], request, sent, echo);
  whole.feed(stream);
  ReplyScanner bytewise(sent[0], request, sent, echo);
  for (const auto& byte : stream) bytewise.feed(Bytes(&byte, 1));
  EXPECT_EQ(tell(whole), tell(bytewise)) << to_hex(stream);
  return tell(whole);
}

Told scan(std::string_view stream) { return scan(kTwo, kSent, hex(stream)); }

const std::string kGoodPdu = "03 04 10 00 11 01";

TEST(ReplyScanner, IsNotHeldUpByAStrayStartOfALongFrame) {
  // 01 03 FA claims 255 bytes; the good answer stands right behind it.
  const auto told = scan("01 03 FA " + kGood);
  EXPECT_EQ(told.pdu, kGoodPdu);
  EXPECT_EQ(told.rejects, (Rejects{.noise_bytes = 3}));
}

TEST(ReplyScanner, IsNotHeldUpByAStrayStartOfTheRightLength) {
  const auto told = scan("01 03 04 " + kGood);
  EXPECT_EQ(told.pdu, kGoodPdu);
  EXPECT_EQ(told.rejects, (Rejects{.crc = 1}));
}

TEST(ReplyScanner, IsNotHeldUpByAForeignFrameThatClaimsToBeLong) {
  EXPECT_EQ(scan("02 03 FA " + kGood).pdu, kGoodPdu);
  EXPECT_EQ(scan("00 10 00 00 " + kGood).pdu, kGoodPdu);
}

TEST(ReplyScanner, FindsTheAnswerBehindABreak) {
  for (int zeros = 0; zeros < 600; zeros += 7) {
    ByteVector stream(static_cast<std::size_t>(zeros), 0);
    put_bytes(stream, hex(kGood));
    const auto told = scan(kTwo, kSent, stream);
    ASSERT_EQ(told.pdu, kGoodPdu) << zeros;
    EXPECT_EQ(told.rejects.noise_bytes, static_cast<std::uint32_t>(zeros));
  }
}

TEST(ReplyScanner, FindsTheAnswerBehindFramesOfOthers) {
  const auto told =
      scan("02 03 04 10 00 11 01 00 63 01 04 04 10 00 11 01 32 D4 " + kGood + "02 03");
  EXPECT_EQ(told.pdu, kGoodPdu);
  EXPECT_EQ(told.rejects, (Rejects{.unit = 1, .function = 1, .trailing_bytes = 2}));
}

TEST(ReplyScanner, TakesAnException) {
  EXPECT_EQ(scan("01 83 02 C0 F1").pdu, "83 02");
  EXPECT_EQ(scan("FF 01 83 02 C0 F1").pdu, "83 02");
}

TEST(ReplyScanner, TakesTheFrameAndNotWhatLooksLikeOneInside) {
  // The data of the answer is an exception frame with a good CRC.
  const Request request = Read{Function::read_holding_registers, 0, 3};
  const auto sent = frame(1, encode(request));
  const auto stream = frame(1, hex("03 06 01 83 02 C0 F1 00"));
  EXPECT_EQ(scan(request, sent, stream).pdu, "03 06 01 83 02 C0 F1 00");
}

TEST(ReplyScanner, DropsTheEchoBehindNoise) {
  const auto told = scan("00 01 03 00 00 00 02 C4 0B " + kGood);
  EXPECT_EQ(told.pdu, kGoodPdu);
  EXPECT_EQ(told.rejects, (Rejects{.echo = 1, .noise_bytes = 1}));
}

TEST(ReplyScanner, DropsTheEchoOfALongWrite) {
  const Request request = WriteRegisters{100, Registers(123, 0xBEEF)};
  const auto sent = frame(1, encode(request));
  auto stream = sent;
  put_bytes(stream, frame(1, hex("10 00 64 00 7B")));
  const auto told = scan(request, sent, stream);
  EXPECT_EQ(told.pdu, "10 00 64 00 7B");
  EXPECT_EQ(told.rejects, (Rejects{.echo = 1}));
}

TEST(ReplyScanner, TakesAnAnswerThatIsTheRequestUnlessTheLineEchoes) {
  const Request request = WriteRegister{20, 0x1234};
  const auto sent = hex("01 06 00 14 12 34 C4 B9");
  EXPECT_EQ(scan(request, sent, sent).kind, Scan::Kind::reply);
  EXPECT_EQ(scan(request, sent, sent, Echo::always).kind, Scan::Kind::need_more);
  auto twice = sent;
  put_bytes(twice, sent);
  const auto told = scan(request, sent, twice, Echo::always);
  EXPECT_EQ(told.kind, Scan::Kind::reply);
  EXPECT_EQ(told.rejects, (Rejects{.echo = 1}));
}

TEST(ReplyScanner, WaitsOnWhenAnotherWriteIsAnswered) {
  const Request request = WriteRegister{20, 0x1234};
  const auto sent = hex("01 06 00 14 12 34 C4 B9");
  auto stream = frame(1, hex("06 00 15 12 34"));
  EXPECT_EQ(scan(request, sent, stream).rejects, (Rejects{.mismatch = 1}));
  put_bytes(stream, sent);
  EXPECT_EQ(scan(request, sent, stream).kind, Scan::Kind::reply);
}

TEST(ReplyScanner, SaysThatALongerAnswerHasTheWrongLengthAlsoBehindNoise) {
  const auto told = scan("00 FF 01 03 06 00 01 00 02 00 03 FD 74 55");
  EXPECT_EQ(told.kind, Scan::Kind::wrong_length);
  EXPECT_EQ(told.rejects, (Rejects{.length = 1, .noise_bytes = 2, .trailing_bytes = 1}));
}

TEST(ReplyScanner, KeepsNothingBehindTheAnswer) {
  ReplyScanner scanner(1, kTwo, kSent);
  scanner.feed(hex(kGood + kGood));
  scanner.feed(hex("01 03"));
  EXPECT_EQ(to_hex(scanner.next().pdu), kGoodPdu);
  EXPECT_EQ(scanner.rejects().trailing_bytes, 11u);
  EXPECT_EQ(scanner.undecided(), 0u);
}

TEST(ReplyScanner, TellsAnIncompleteAnswerFromSilence) {
  EXPECT_EQ(scan("").undecided, 0u);
  EXPECT_EQ(scan("01 03 04 10 00").undecided, 5u);
}

TEST(ReplyScanner, FollowsAnIdentificationObjectByObject) {
  const Request request = Identify{4, 1};
  const auto sent = hex("01 2B 0E 04 01 B2 E7");
  const auto told =
      scan(request, sent, hex("00 01 2B 0E 04 83 00 00 01 01 06 4C 53 2D 53 49 4D 3D CB"));
  EXPECT_EQ(told.kind, Scan::Kind::reply);
  EXPECT_EQ(told.rejects, (Rejects{.noise_bytes = 1}));
}

// A line made of pieces that mislead: starts of frames, echoes, exceptions, noise.
TEST(ReplyScanner, DoesNotDependOnThePiecesAndFindsTheAnswerInTheEnd) {
  std::minstd_rand random(42);
  const std::vector<ByteVector> bits{hex("01 03"),
                                     hex("01 03 FA"),
                                     hex("01 03 04"),
                                     hex("01 83 00"),
                                     kSent,
                                     hex("01 03 00 00"),
                                     hex("02 03 04 10 00 11 01 00 63"),
                                     hex("02 10 00"),
                                     hex("01 04 04 10 00 11 01 32 D4"),
                                     hex("00"),
                                     hex("FF FF"),
                                     hex("01"),
                                     hex("01 83 00 41 30"),
                                     hex("01 03 04 10 00 11 01 33 62"),
                                     hex("2B 0E")};
  for (int round = 0; round < 3000; ++round) {
    ByteVector stream;
    const auto count = random() % 60;
    for (unsigned at = 0; at < count; ++at) put_bytes(stream, bits[random() % bits.size()]);
    put_bytes(stream, hex(kGood));
    const auto told = scan(kTwo, kSent, stream);
    ASSERT_EQ(told.kind, Scan::Kind::reply) << to_hex(stream);

    ReplyScanner pieces(1, kTwo, kSent);
    for (std::size_t at = 0; at < stream.size();) {
      const auto size = std::min<std::size_t>(1 + random() % 40, stream.size() - at);
      pieces.feed(Bytes(stream).subspan(at, size));
      at += size;
    }
    ASSERT_EQ(tell(pieces), told) << to_hex(stream);
  }
}

TEST(ReplyScanner, CountsEveryByteOfNoise) {
  ByteVector noise(5000, 0x55);
  EXPECT_EQ(scan(kTwo, kSent, noise).rejects, (Rejects{.noise_bytes = 5000}));
}

}  // namespace
}  // namespace lightship::modbus::rtu
