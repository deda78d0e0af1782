// Functions 11, 12, 20, 21 and 24, for which no peer was recorded: by round trip, on frames whose
// meaning tests/peers/test_codec_tshark.py checks against tshark. Keep the literals of both the
// same.
#include <gtest/gtest.h>

#include "base/hex.h"
#include "codec/modbus/pdu.h"
#include "codec/modbus/rtu.h"

namespace lightship::modbus {
namespace {

template <class Body>
void expect_pair(const Request& request, const Body& body, std::string_view request_pdu,
                 std::string_view reply_pdu) {
  EXPECT_EQ(to_hex(encode(request)), request_pdu);
  const auto decoded = decode_request(hex(request_pdu));
  ASSERT_TRUE(decoded) << decoded.error().text;
  EXPECT_TRUE(*decoded == request);

  EXPECT_EQ(to_hex(encode(Reply{function_of(request), body})), reply_pdu);
  const auto reply = decode_reply(request, hex(reply_pdu));
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_TRUE(std::get<Body>(reply->body) == body);

  const auto asked = rtu::frame(1, hex(request_pdu));
  EXPECT_EQ(rtu::request_length(asked), asked.size());
  const auto answered = rtu::frame(1, hex(reply_pdu));
  EXPECT_EQ(rtu::reply_length(answered), answered.size());
}

TEST(SerialFunctions, CommEventCounter) {
  expect_pair(Query{Function::comm_event_counter}, EventCounter{0xFFFF, 0x0108}, "0B",
              "0B FF FF 01 08");
}

TEST(SerialFunctions, CommEventLog) {
  expect_pair(Query{Function::comm_event_log}, EventLog{0x0000, 0x0108, 0x0121, {0x20, 0x00}}, "0C",
              "0C 08 00 00 01 08 01 21 20 00");
}

TEST(SerialFunctions, ReadFileRecord) {
  expect_pair(ReadFile{{{4, 1, 2}, {3, 9, 2}}}, FileRecords{{{0x0DFE, 0x0020}, {0x33CD, 0x0040}}},
              "14 0E 06 00 04 00 01 00 02 06 00 03 00 09 00 02",
              "14 0C 05 06 0D FE 00 20 05 06 33 CD 00 40");
}

TEST(SerialFunctions, WriteFileRecord) {
  const WriteFile file{{{4, 7, {0x06AF, 0x04BE, 0x100D}}}};
  expect_pair(file, file, "15 0D 06 00 04 00 07 00 03 06 AF 04 BE 10 0D",
              "15 0D 06 00 04 00 07 00 03 06 AF 04 BE 10 0D");
}

TEST(SerialFunctions, ReadFifoQueue) {
  expect_pair(ReadFifo{0x04DE}, Fifo{{0x01B8, 0x1284}}, "18 04 DE", "18 00 06 00 02 01 B8 12 84");
}

TEST(SerialFunctions, RefuseWhatDoesNotAgreeWithItself) {
  const Request log = Query{Function::comm_event_log};
  EXPECT_EQ(judge(log, hex("0C 07 00 00 01 08 01 21 20 00")), Verdict::length);
  EXPECT_EQ(judge(log, hex("0C 05 00 00 01 08 01")), Verdict::length);
  EXPECT_EQ(judge(ReadFifo{0}, hex("18 00 06 00 03 01 B8 12 84")), Verdict::length);
  EXPECT_EQ(judge(ReadFifo{0}, hex("18 00 08 00 02 01 B8 12 84")), Verdict::length);
  const Request file = ReadFile{{{4, 1, 2}}};
  EXPECT_EQ(judge(file, hex("14 06 05 06 0D FE 00 20")), Verdict::good);
  EXPECT_EQ(judge(file, hex("14 04 03 06 0D FE")), Verdict::length);
  EXPECT_EQ(judge(file, hex("14 06 05 07 0D FE 00 20")), Verdict::length);
  const Request write = WriteFile{{{4, 7, {1}}}};
  EXPECT_EQ(judge(write, hex("15 09 06 00 04 00 07 00 01 00 02")), Verdict::mismatch);
}

}  // namespace
}  // namespace lightship::modbus
