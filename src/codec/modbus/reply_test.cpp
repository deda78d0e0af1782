// Which bytes are the answer to a request, and which are not.
#include "codec/modbus/reply.h"

#include <random>

#include <gtest/gtest.h>

#include "base/hex.h"

namespace lightship::modbus {
namespace {

const Request kTwoRegisters = Read{Function::read_holding_registers, 0, 2};

Verdict judged(const Request& request, std::string_view pdu) {
  const auto bytes = hex(pdu);
  const auto verdict = judge(request, bytes);
  const bool good = decode_reply(request, bytes).has_value() ||
                    decode_reply(request, bytes).error().code == Errc::refused;
  EXPECT_EQ(good, verdict == Verdict::good);
  return verdict;
}

TEST(Reply, MustBeOfTheAskedFunction) {
  EXPECT_EQ(judged(kTwoRegisters, "04 04 10 00 11 01"), Verdict::function);
  EXPECT_EQ(judged(kTwoRegisters, "84 02"), Verdict::function);
}

TEST(Reply, MustBeAsLongAsAskedAndAsItSays) {
  EXPECT_EQ(judged(kTwoRegisters, ""), Verdict::length);
  EXPECT_EQ(judged(kTwoRegisters, "03"), Verdict::length);
  EXPECT_EQ(judged(kTwoRegisters, "03 02 10 00"), Verdict::length);
  EXPECT_EQ(judged(kTwoRegisters, "03 06 10 00 11 01"), Verdict::length);
  EXPECT_EQ(judged(kTwoRegisters, "03 04 10 00 11"), Verdict::length);
  EXPECT_EQ(judged(kTwoRegisters, "03 04 10 00 11 01 00"), Verdict::length);
  EXPECT_EQ(judged(Read{Function::read_coils, 0, 9}, "01 01 FF"), Verdict::length);
  EXPECT_EQ(judged(kTwoRegisters, "83"), Verdict::length);
  EXPECT_EQ(judged(kTwoRegisters, "83 02 00"), Verdict::length);
}

TEST(Reply, MustEchoWhatWasWritten) {
  EXPECT_EQ(judged(WriteRegister{20, 0x1234}, "06 00 14 12 34"), Verdict::good);
  EXPECT_EQ(judged(WriteRegister{20, 0x1234}, "06 00 15 12 34"), Verdict::mismatch);
  EXPECT_EQ(judged(WriteRegister{20, 0x1234}, "06 00 14 12 35"), Verdict::mismatch);
  EXPECT_EQ(judged(WriteCoil{10, true}, "05 00 0A 00 00"), Verdict::mismatch);
  EXPECT_EQ(judged(WriteRegisters{51, {1, 2, 3}}, "10 00 33 00 02"), Verdict::mismatch);
  EXPECT_EQ(judged(MaskWrite{4, 0xF2, 0x25}, "16 00 04 00 F2 00 26"), Verdict::mismatch);
  EXPECT_EQ(judged(Diagnose{0, 0xA537}, "08 00 00 A5 38"), Verdict::mismatch);
  EXPECT_EQ(judged(Diagnose{11, 0}, "08 00 0B 12 34"), Verdict::good);  // a counter
}

TEST(Reply, WithExceptionZeroIsMalformed) {
  EXPECT_EQ(judged(kTwoRegisters, "83 00"), Verdict::exception_code);
  const auto reply = decode_reply(kTwoRegisters, hex("83 00"));
  EXPECT_EQ(reply.error().code, Errc::malformed);
  EXPECT_EQ(reply.error().text, "0 is not an exception code");
}

TEST(Reply, WithAnExceptionIsRefusedWithItsCode) {
  const auto reply = decode_reply(kTwoRegisters, hex("83 02"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::refused);
  EXPECT_EQ(reply.error().detail, 2);
  EXPECT_EQ(reply.error().text, "exception 2 (address range not served)");
  EXPECT_EQ(decode_reply(kTwoRegisters, hex("83 E0")).error().detail, 0xE0);
}

TEST(Reply, ErrorsSayWhatWasFound) {
  EXPECT_EQ(decode_reply(kTwoRegisters, hex("04 04 10 00 11 01")).error().text,
            "function 4 in the answer, 3 was asked");
  EXPECT_EQ(decode_reply(kTwoRegisters, hex("03 02 10 00")).error().text,
            "wrong length, 4 bytes instead of 6");
  EXPECT_EQ(decode_reply(kTwoRegisters, hex("03 06 10 00 11 01")).error().text,
            "wrong length, 6 bytes do not agree with their own count");
}

TEST(Reply, GivesTheRegistersAndTheBits) {
  EXPECT_EQ(decode_reply(kTwoRegisters, hex("03 04 10 00 11 01"))->registers(),
            (Registers{0x1000, 0x1101}));
  const auto bits = decode_reply(Read{Function::read_coils, 3, 9}, hex("01 02 4A 01"))->bits();
  EXPECT_EQ(bits.count, 9);
  EXPECT_TRUE(bits[1] && bits[3] && bits[6] && bits[8]);
  EXPECT_FALSE(bits[0] || bits[2] || bits[7]);
}

TEST(Reply, OfAnIdentificationTellsWhereToGoOn) {
  const auto reply = decode_reply(Identify{1, 0}, hex("2B 0E 01 83 FF 02 01 00 03 41 42 43"));
  ASSERT_TRUE(reply) << reply.error().text;
  const auto& said = std::get<Identification>(reply->body);
  EXPECT_EQ(said.next, 2);
  ASSERT_EQ(said.objects.size(), 1u);
  EXPECT_EQ(said.objects[0].text, "ABC");
  EXPECT_EQ(judged(Identify{1, 0}, "2B 0E 01 83 00 00 02 00 03 41 42 43"),
            Verdict::length);  // two said, one there
  EXPECT_EQ(judged(Identify{2, 0}, "2B 0E 01 83 00 00 00"), Verdict::mismatch);
}

TEST(Reply, OfAnyBytesToAnyRequestNeverReadsPastThem) {
  std::minstd_rand random(7);
  const std::vector<Request> requests{kTwoRegisters,
                                      Read{Function::read_coils, 0, 2000},
                                      WriteCoil{1, true},
                                      WriteRegister{1, 2},
                                      Query{Function::comm_event_log},
                                      Query{Function::comm_event_counter},
                                      Query{Function::report_server_id},
                                      Query{Function::read_exception_status},
                                      Diagnose{},
                                      WriteCoils{0, Bits(3)},
                                      WriteRegisters{0, {1}},
                                      ReadFile{{{1, 2, 3}, {4, 5, 6}}},
                                      WriteFile{{{1, 2, {3}}}},
                                      MaskWrite{},
                                      ReadWrite{0, 3, 0, {1}},
                                      ReadFifo{},
                                      Identify{}};
  for (std::size_t size = 0; size <= 300; ++size) {
    for (const auto& request : requests) {
      ByteVector pdu(size);
      for (auto& byte : pdu) byte = static_cast<std::uint8_t>(random());
      if (size > 0) pdu[0] = code(function_of(request));
      if (size > 2) pdu[1] = static_cast<std::uint8_t>(size - 2);
      const auto exact =
          std::make_unique<std::uint8_t[]>(size);  // so that a sanitizer sees one byte too many
      std::ranges::copy(pdu, exact.get());
      const auto reply = decode_reply(request, Bytes(exact.get(), size));
      EXPECT_EQ(reply.has_value(), judge(request, pdu) == Verdict::good);
      (void)decode_request(Bytes(exact.get(), size));
    }
  }
}

}  // namespace
}  // namespace lightship::modbus
