// Requests that no server may carry out, and the exception each of them earns.
#include "codec/modbus/request.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace lightship::modbus {
namespace {

int refusal(std::string_view pdu) {
  const auto request = decode_request(hex(pdu));
  if (request) return 0;
  return request.error().code == Errc::refused ? request.error().detail : -1;
}

TEST(Request, OfNoBytesIsMalformed) { EXPECT_EQ(refusal(""), -1); }

TEST(Request, WithAnUnknownFunctionIsRefusedBeforeAnythingElse) {
  EXPECT_EQ(refusal("00"), 1);
  EXPECT_EQ(refusal("41 00 01"), 1);
  EXPECT_EQ(refusal("83 02"), 1);
  EXPECT_EQ(refusal("2B 0D 00 00"), 1);  // CANopen
}

TEST(Request, WithABadCountIsRefusedBeforeItsRange) {
  EXPECT_EQ(refusal("03 FF FF 00 7E"), 3);
  EXPECT_EQ(refusal("03 FF FF 00 00"), 3);
  EXPECT_EQ(refusal("01 FF FF 07 D1"), 3);
  EXPECT_EQ(refusal("17 FF FF 00 7E 00 00 00 01 02 00 00"), 3);
}

TEST(Request, PastTheLastAddressIsRefused) {
  EXPECT_EQ(refusal("03 FF FF 00 01"), 0);
  EXPECT_EQ(refusal("03 FF FF 00 02"), 2);
  EXPECT_EQ(refusal("0F FF FF 00 02 01 03"), 2);
  EXPECT_EQ(refusal("10 FF FF 00 02 04 00 00 00 00"), 2);
  EXPECT_EQ(refusal("17 FF FF 00 02 00 00 00 01 02 00 00"), 2);
  EXPECT_EQ(refusal("17 00 00 00 02 FF FF 00 02 04 00 00 00 00"), 2);
}

TEST(Request, WhoseByteCountLiesIsRefused) {
  EXPECT_EQ(refusal("10 00 00 00 02 02 00 01"), 3);
  EXPECT_EQ(refusal("10 00 00 00 01 02 00"), 3);
  EXPECT_EQ(refusal("10 00 00 00 01 02 00 01 00"), 3);
  EXPECT_EQ(refusal("0F 00 00 00 09 01 FF"), 3);
  EXPECT_EQ(refusal("17 00 00 00 01 00 00 00 02 02 00 01"), 3);
  EXPECT_EQ(refusal("14 07 06 00 01 00 00 00"), 3);
  EXPECT_EQ(refusal("15 09 06 00 01 00 00 00 02 00 01"), 3);
}

TEST(Request, ThatIsCutOrTooLongIsRefused) {
  for (const auto* whole :
       {"03 00 00 00 01", "05 00 00 FF 00", "06 00 00 00 01", "07", "08 00 00 A5 37", "0B", "0C",
        "0F 00 00 00 01 01 01", "10 00 00 00 01 02 00 01", "11", "14 07 06 00 01 00 00 00 01",
        "15 09 06 00 01 00 00 00 01 00 01", "16 00 00 00 00 00 00",
        "17 00 00 00 01 00 00 00 01 02 00 01", "18 00 00", "2B 0E 01 00"}) {
    const auto pdu = hex(whole);
    ASSERT_TRUE(decode_request(pdu)) << whole;
    for (std::size_t size = 1; size < pdu.size(); ++size) {
      const auto cut = decode_request(Bytes(pdu).first(size));
      ASSERT_FALSE(cut) << whole << ' ' << size;
      EXPECT_EQ(cut.error().detail, 3);
    }
    auto longer = pdu;
    longer.push_back(0);
    EXPECT_FALSE(decode_request(longer)) << whole;
  }
}

TEST(Request, WithAnImpossibleValueIsRefused) {
  EXPECT_EQ(refusal("05 00 00 12 34"), 3);
  EXPECT_EQ(refusal("2B 0E 00 00"), 3);
  EXPECT_EQ(refusal("2B 0E 05 00"), 3);
}

TEST(Request, ForFilesChecksTypeFileAndRecord) {
  EXPECT_EQ(refusal("14 07 05 00 01 00 00 00 01"), 2);
  EXPECT_EQ(refusal("14 07 06 00 00 00 00 00 01"), 2);
  EXPECT_EQ(refusal("14 07 06 00 01 27 10 00 01"), 2);
  EXPECT_EQ(refusal("14 07 06 00 01 00 00 00 00"), 3);
  EXPECT_EQ(refusal("14 07 05 00 01 00 00 00 7E"), 3);
  EXPECT_EQ(refusal("14 00"), 3);
  EXPECT_EQ(refusal("14 0E 06 00 01 00 00 00 40 06 00 01 00 40 00 40"),
            3);  // the answer would not fit
}

TEST(Request, ErrorsSayWhatWasFound) {
  EXPECT_EQ(decode_request(hex("03 00 00 00 7E")).error().text,
            "126 registers, 1 to 125 are allowed");
  EXPECT_EQ(decode_request(hex("03 FF FF 00 02")).error().text, "65535 + 2 is past address 65535");
  EXPECT_EQ(decode_request(hex("41")).error().text, "function 65 is not known");
  EXPECT_EQ(decode_request(hex("03 00")).error().text, "read holding registers in 2 bytes");
}

TEST(Request, IsDescribedInWords) {
  EXPECT_EQ(describe(Read{Function::read_holding_registers, 100, 10}),
            "read 10 holding registers at 100");
  EXPECT_EQ(describe(Read{Function::read_coils, 0, 1}), "read 1 coil at 0");
  EXPECT_EQ(describe(WriteCoil{10, true}), "write coil 10 on");
  EXPECT_EQ(describe(WriteRegisters{51, {1, 2, 3}}), "write 3 registers at 51");
  EXPECT_EQ(describe(Query{Function::report_server_id}), "report server id");
}

TEST(Request, OfEveryKindIsPossibleWhereDecoded) {
  EXPECT_FALSE(check(Read{Function::write_coil, 0, 1}));
  EXPECT_FALSE(check(WriteCoils{0, Bits(9, {1})}));
  EXPECT_TRUE(check(WriteCoils{0, Bits{true, false, true}}));
  EXPECT_TRUE(check(MaskWrite{}));
}

}  // namespace
}  // namespace lightship::modbus
