// ASCII frames: the recorded ones, the spoiled ones, and the search for an answer among them.
#include "codec/modbus/ascii.h"

#include <gtest/gtest.h>

#include "codec/modbus/pdu.h"
#include "codec/modbus/vectors_for_test.h"

namespace lightship::modbus::ascii {
namespace {

std::string as_text(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
ByteVector as_bytes(std::string_view text) { return {text.begin(), text.end()}; }

std::vector<std::string> heard(Scanner& scanner, std::string_view stream) {
  std::vector<std::string> frames;
  scanner.feed(as_bytes(stream), [&](std::uint8_t unit, Bytes pdu) {
    frames.push_back(fmt::format("{}: {}", unit, to_hex(pdu)));
    return true;
  });
  return frames;
}

TEST(AsciiVectors, AreFramedAndUnframedAsRecorded) {
  int good = 0, bad = 0;
  for (const auto& entry : vectors().at("ascii").as_array()) {
    SCOPED_TRACE(text_of(entry, "id"));
    const auto text = as_text(bytes_of(entry, "hex"));
    const auto unit = entry.at("unit").to_number<std::uint8_t>();
    const auto verdict = text_of(entry, "verdict");
    Scanner scanner;
    const auto scanned = heard(scanner, text);
    if (!verdict.empty()) {
      ++bad;
      ASSERT_FALSE(unframe(text));
      EXPECT_TRUE(scanned.empty());
      const bool lrc = verdict == "reject: lrc";
      EXPECT_EQ(unframe(text).error().code, lrc ? Errc::crc : Errc::malformed);
      EXPECT_EQ(scanner.bad_lrc(), lrc ? 1u : 0u);
      EXPECT_EQ(scanner.malformed(), lrc ? 0u : 1u);
      if (!lrc) EXPECT_EQ(unframe(text).error().text, "odd number of hex digits");
      continue;
    }
    ++good;
    const auto pdu = bytes_of(entry, "pdu");
    EXPECT_EQ(frame(unit, pdu), text);
    EXPECT_EQ(unframe(text), (Frame{unit, pdu}));
    EXPECT_EQ(scanned, (std::vector{fmt::format("{}: {}", unit, to_hex(pdu))}));
  }
  EXPECT_EQ(good, 8);
  EXPECT_EQ(bad, 2);
}

TEST(AsciiFrame, IsReadInLowerCaseToo) {
  EXPECT_EQ(unframe(":0103006b00038e\r\n"), (Frame{1, hex("03 00 6B 00 03")}));
}

TEST(AsciiFrame, IsRefusedForWhatItIs) {
  EXPECT_EQ(unframe("").error().code, Errc::incomplete);
  EXPECT_EQ(unframe(":").error().code, Errc::incomplete);
  EXPECT_EQ(unframe("\r\n").error().code, Errc::malformed);
  EXPECT_EQ(unframe(":\r\n").error().code, Errc::malformed);
  EXPECT_EQ(unframe(":01FF\r\n").error().code, Errc::malformed);
  EXPECT_EQ(unframe(":0103006B0003XE\r\n").error().code, Errc::malformed);
  EXPECT_EQ(unframe(":0103006B00038E\n").error().code, Errc::incomplete);
  EXPECT_EQ(unframe(std::string(600, '0')).error().code, Errc::malformed);
}

TEST(AsciiScanner, StartsAnewAtEveryColon) {
  Scanner scanner;
  EXPECT_EQ(heard(scanner, "xx:0103:0103006B00038E\r\n"),
            (std::vector<std::string>{"1: 03 00 6B 00 03"}));
  EXPECT_EQ(scanner.noise(), 2u);
  EXPECT_EQ(scanner.malformed(), 1u);
}

TEST(AsciiScanner, DropsAFrameThatNeverEnds) {
  Scanner scanner;
  EXPECT_TRUE(heard(scanner, ":" + std::string(5000, 'A')).empty());
  EXPECT_EQ(scanner.malformed(), 1u);
  EXPECT_EQ(scanner.inside(), 0u);
  EXPECT_EQ(heard(scanner, ":0103006B00038E\r\n").size(), 1u);
}

TEST(AsciiScanner, TakesTheLargestFrame) {
  const ByteVector pdu(253, 0x42);
  const auto text = frame(1, pdu);
  EXPECT_EQ(text.size(), kMaxFrame);
  Scanner scanner;
  EXPECT_EQ(heard(scanner, text).size(), 1u);
}

TEST(AsciiReplyScanner, FollowsTheRulesOfRtu) {
  const Request request = Read{Function::read_holding_registers, 0x6B, 3};
  const auto sent = encode(request);
  const std::string good = ":010306022B0000006465\r\n";
  const std::string stream = "\xFF" + frame(1, sent) + frame(2, hex("03 06 02 2B 00 00 00 64")) +
                             frame(1, hex("04 06 02 2B 00 00 00 64")) + frame(1, hex("83 00")) +
                             ":010306022B0000006466\r\n" + good + "::";
  const auto expected = Rejects{.unit = 1,
                                .function = 1,
                                .crc = 1,
                                .exception_code = 1,
                                .echo = 1,
                                .noise_bytes = 1,
                                .trailing_bytes = 2};
  ReplyScanner whole(1, request, sent);
  whole.feed(as_bytes(stream));
  EXPECT_EQ(whole.next().kind, Scan::Kind::reply);
  EXPECT_EQ(to_hex(whole.next().pdu), "03 06 02 2B 00 00 00 64");
  EXPECT_EQ(whole.rejects(), expected);

  ReplyScanner bytewise(1, request, sent);
  for (const auto byte : as_bytes(stream)) bytewise.feed(Bytes(&byte, 1));
  EXPECT_EQ(to_hex(bytewise.next().pdu), "03 06 02 2B 00 00 00 64");
  EXPECT_EQ(bytewise.rejects(), expected);
}

TEST(AsciiReplyScanner, SaysThatAShorterAnswerHasTheWrongLength) {
  const Request request = Read{Function::read_holding_registers, 0x6B, 3};
  const auto sent = encode(request);
  ReplyScanner scanner(1, request, sent);
  scanner.feed(as_bytes(frame(1, hex("03 02 00 01"))));
  EXPECT_EQ(scanner.next().kind, Scan::Kind::wrong_length);
}

}  // namespace
}  // namespace lightship::modbus::ascii
