// CRC, LRC, functions and exceptions.
#include <gtest/gtest.h>

#include "base/hex.h"
#include "codec/modbus/crc.h"
#include "codec/modbus/exception.h"
#include "codec/modbus/function.h"
#include "codec/modbus/lrc.h"

namespace lightship::modbus {
namespace {

TEST(Crc, OfTheNineDigitsIsTheCheckValue) {
  EXPECT_EQ(crc16(hex("31 32 33 34 35 36 37 38 39")), 0x4B37);
}

TEST(Crc, GoesLowByteFirst) {
  auto frame = hex("01 03 00 00 00 02");
  put_crc(frame, crc16(frame));
  EXPECT_EQ(to_hex(frame), "01 03 00 00 00 02 C4 0B");
  EXPECT_EQ(crc16(frame), 0);
}

TEST(Crc, TwoBytesAStepAreWorthOneBitAStep) {
  ByteVector bytes;
  for (int size = 0; size < 300; ++size) {
    std::uint16_t expected = 0xFFFF;
    for (const auto byte : bytes) {
      expected ^= byte;
      for (int bit = 0; bit < 8; ++bit) {
        expected = static_cast<std::uint16_t>((expected & 1) != 0 ? expected >> 1 ^ 0xA001
                                                                  : expected >> 1);
      }
    }
    ASSERT_EQ(crc16(bytes), expected) << size;
    bytes.push_back(static_cast<std::uint8_t>(size * 37 + 11));
  }
}

TEST(Lrc, IsTheTwosComplementOfTheSum) {
  EXPECT_EQ(lrc(hex("01 03 00 6B 00 03")), 0x8E);
  EXPECT_EQ(lrc(hex("01 03 00 6B 00 03 8E")), 0);
}

TEST(Functions, AreTheNineteenOfTheStandard) {
  int known = 0;
  for (int code = 0; code < 256; ++code) known += is_known(static_cast<std::uint8_t>(code)) ? 1 : 0;
  EXPECT_EQ(known, 19);
  EXPECT_EQ(name(Function::read_input_registers), "read input registers");
  EXPECT_EQ(name(Function(65)), "unknown function");
}

TEST(Exceptions, SayWhatTheyMean) {
  EXPECT_EQ(exception_text(2), "exception 2 (address range not served)");
  EXPECT_EQ(exception_text(0x20), "exception 32 (undocumented code)");
  const auto error = exception_error(11);
  EXPECT_EQ(error.code, Errc::refused);
  EXPECT_EQ(error.detail, 11);
  EXPECT_FALSE(advice(3).empty());
}

}  // namespace
}  // namespace lightship::modbus
