// Requests cut out of a stream that is not only requests.
#include "codec/modbus/request_scanner.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace lightship::modbus::rtu {
namespace {

std::vector<std::string> heard(RequestScanner& scanner, std::string_view stream) {
  std::vector<std::string> frames;
  for (const auto byte : hex(stream)) {
    scanner.feed(Bytes(&byte, 1));
    while (const auto frame = scanner.next())
      frames.push_back(fmt::format("{}: {}", frame->unit, to_hex(frame->pdu)));
  }
  return frames;
}

TEST(RequestScanner, DropsAFrameWithABadCrcAndTakesTheNext) {
  RequestScanner scanner;
  EXPECT_EQ(heard(scanner, "01 03 00 00 00 01 84 0B 01 03 00 00 00 02 C4 0B"),
            (std::vector<std::string>{"1: 03 00 00 00 02"}));
  EXPECT_EQ(scanner.dropped_bytes(), 8u);
  EXPECT_GE(scanner.bad_crc(), 1u);
}

TEST(RequestScanner, PassesOverNoiseAndUnknownFunctions) {
  RequestScanner scanner;
  EXPECT_EQ(heard(scanner, "00 FF 01 41 00 01 90 0C 01 03 00 00 00 02 C4 0B"),
            (std::vector<std::string>{"1: 03 00 00 00 02"}));
  EXPECT_EQ(scanner.dropped_bytes(), 8u);
}

TEST(RequestScanner, ForgetsAStartedFrameAfterSilence) {
  RequestScanner scanner;
  EXPECT_TRUE(heard(scanner, "01 10 00 00 00 7B F6 00").empty());
  scanner.silence();
  EXPECT_EQ(heard(scanner, "01 03 00 00 00 02 C4 0B"),
            (std::vector<std::string>{"1: 03 00 00 00 02"}));
  EXPECT_EQ(scanner.dropped_bytes(), 8u);
}

TEST(RequestScanner, TakesSeveralFromOnePiece) {
  RequestScanner scanner;
  scanner.feed(hex("01 03 00 00 00 02 C4 0B 00 06 00 5A 0B 0B EE FF 01 03"));
  EXPECT_EQ(to_hex(scanner.next()->pdu), "03 00 00 00 02");
  EXPECT_EQ(scanner.next()->unit, 0);
  EXPECT_FALSE(scanner.next());
}

}  // namespace
}  // namespace lightship::modbus::rtu
