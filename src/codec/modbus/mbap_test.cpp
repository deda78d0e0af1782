// MBAP: what is incomplete, what closes the connection, what leaves in one write.
#include "codec/modbus/mbap.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace lightship::modbus::mbap {
namespace {

Errc trouble(std::string_view stream) { return next_adu(hex(stream)).error().code; }

TEST(Mbap, TellsIncompleteFromMalformed) {
  EXPECT_EQ(trouble(""), Errc::incomplete);
  EXPECT_EQ(trouble("00 01 00"), Errc::incomplete);
  EXPECT_EQ(trouble("00 01 00 01"), Errc::malformed);
  EXPECT_EQ(trouble("00 01 00 00 00 06 01 03"), Errc::incomplete);
  EXPECT_EQ(trouble("00 01 00 00 00 00"), Errc::malformed);
  EXPECT_EQ(trouble("00 01 00 00 00 01 FF"), Errc::malformed);
  EXPECT_EQ(trouble("00 01 00 00 00 FF"), Errc::malformed);
  EXPECT_EQ(trouble("00 01 00 00 40 00"), Errc::malformed);
}

TEST(Mbap, ErrorsSayWhatWasExpected) {
  EXPECT_EQ(next_adu(hex("00 01 00 07")).error().text, "protocol id 7, expected 0");
  EXPECT_EQ(next_adu(hex("00 01 00 00 40 00")).error().text, "length 16384, expected 2 to 254");
}

TEST(Mbap, CutsAStreamWithoutACopy) {
  const auto stream = hex("00 01 00 00 00 03 01 83 02 00 02 00 00 00 06 01 03");
  const auto adu = next_adu(stream);
  ASSERT_TRUE(adu);
  EXPECT_EQ(adu->transaction, 1);
  EXPECT_EQ(adu->unit, 1);
  EXPECT_EQ(adu->size, 9u);
  EXPECT_EQ(adu->pdu.data(), stream.data() + 7);
  EXPECT_EQ(next_adu(Bytes(stream).subspan(adu->size)).error().code, Errc::incomplete);
}

TEST(Mbap, AppendsSeveralRequestsForOneWrite) {
  ByteVector out;
  append_frame(out, 1, 255, Read{Function::read_holding_registers, 0, 2});
  append_frame(out, 2, 255, Read{Function::read_input_registers, 16, 1});
  EXPECT_EQ(to_hex(out), "00 01 00 00 00 06 FF 03 00 00 00 02 00 02 00 00 00 06 FF 04 00 10 00 01");
}

}  // namespace
}  // namespace lightship::modbus::mbap
