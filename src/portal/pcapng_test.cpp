// A capture, block by block.
#include "portal/pcapng.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace lightship::portal::pcapng {
namespace {

std::string hex_of(const std::string& bytes) {
  return to_hex(ByteVector(bytes.begin(), bytes.end()), 0);
}

TEST(Pcapng, BeginsWithASectionAndItsInterfaces) {
  EXPECT_EQ(hex_of(header("me", {"modbus/a"})),
            "0A0D0D0A28000000"                  // section, 40 bytes
            "4D3C2B1A01000000FFFFFFFFFFFFFFFF"  // 1.0, of unknown length
            "040002006D65000000000000"          // application
            "28000000"
            "010000002C000000"          // interface, 44 bytes
            "FC00000000000000"          // exported PDU, nothing is cut
            "020008006D6F646275732F61"  // its name
            "0900010006000000"          // microseconds
            "00000000"
            "2C000000");
}

TEST(Pcapng, TellsAPacketWithItsDissectorDirectionAndFault) {
  std::string out;
  append(out, {0, Time(Duration(0x0001'0203'0405'0607)), FrameWay::received, "mbrtu", Bytes(), true,
               "bad CRC"});
  const auto text = hex_of(out);
  EXPECT_EQ(out.size() % 4, 0U);
  EXPECT_EQ(text.substr(0, 8), "06000000");
  EXPECT_EQ(text.substr(16, 24), "000000000302010007060504");                   // interface, time
  EXPECT_NE(text.find("000C00086D62727475000000"), std::string::npos);          // the dissector
  EXPECT_NE(text.find("001400047F010001001500047F000001"), std::string::npos);  // from the device
  EXPECT_NE(text.find("0200040001000001"), std::string::npos);        // inbound, CRC error
  EXPECT_NE(text.find("0100070062616420435243"), std::string::npos);  // the comment
  EXPECT_EQ(text.substr(8, 8), text.substr(text.size() - 8));
}

}  // namespace
}  // namespace lightship::portal::pcapng
