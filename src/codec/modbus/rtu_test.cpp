// RTU frames and what their first bytes say of their length.
#include "codec/modbus/rtu.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace lightship::modbus::rtu {
namespace {

TEST(RtuFrame, IsRefusedWhenItsCrcDoesNotMatch) {
  EXPECT_EQ(unframe(hex("01 03 02 00 2A 39 00")).error().code, Errc::crc);
  EXPECT_EQ(unframe(hex("01 03 02")).error().code, Errc::incomplete);
  EXPECT_EQ(unframe(ByteVector(257)).error().code, Errc::malformed);
}

TEST(RtuFrame, RoundTrip) {
  const auto whole = frame(17, hex("03 00 00 00 02"));
  const auto back = unframe(whole);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->unit, 17);
  EXPECT_EQ(to_hex(back->pdu), "03 00 00 00 02");
}

TEST(RtuLength, IsUnknownUntilTheByteThatSaysIt) {
  EXPECT_EQ(reply_length(hex("01 03")).error().code, Errc::incomplete);
  EXPECT_EQ(reply_length(hex("01 03 04")), 9u);
  EXPECT_EQ(reply_length(hex("01 83")), 5u);
  EXPECT_EQ(reply_length(hex("01 18 00")).error().code, Errc::incomplete);
  EXPECT_EQ(reply_length(hex("01 18 00 06")), 12u);
  EXPECT_EQ(request_length(hex("01 10 00 00 00 02")).error().code, Errc::incomplete);
  EXPECT_EQ(request_length(hex("01 10 00 00 00 02 04")), 13u);
  EXPECT_EQ(request_length(hex("01 17 00 00 00 01 00 00 00 01 02")), 15u);
}

TEST(RtuLength, IsMalformedWhereNoFrameBeginsSo) {
  EXPECT_EQ(reply_length(hex("01 41")).error().code, Errc::malformed);
  EXPECT_EQ(request_length(hex("01 83")).error().code, Errc::malformed);
  EXPECT_EQ(reply_length(hex("01 18 40 00")).error().code, Errc::malformed);
  EXPECT_EQ(reply_length(hex("01 2B 0D")).error().code, Errc::malformed);
  EXPECT_EQ(reply_length(hex("01 03 FC")).error().code, Errc::malformed);  // 257 bytes
  EXPECT_EQ(reply_length(hex("01 03 FB")), 256u);
}

}  // namespace
}  // namespace lightship::modbus::rtu
