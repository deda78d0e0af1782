// Lines as users type them.
#include "sources/modbus/line_url.h"

#include <gtest/gtest.h>

namespace lightship::poller {
namespace {

std::string why_not(std::string_view url) {
  const auto line = parse_line_url(url);
  return line ? "" : line.error().text;
}

TEST(LineUrl, RefusesWhatIsNoPort) {
  EXPECT_EQ(why_not("tcp://meter:99999"), "port=99999 is not a number from 1 to 65535");
  EXPECT_EQ(why_not("tcp://meter:65536"), "port=65536 is not a number from 1 to 65535");
  EXPECT_EQ(why_not("tcp://meter:0"), "port=0 is not a number from 1 to 65535");
  EXPECT_EQ(why_not("tcp://meter:"), "port= is not a number from 1 to 65535");
  EXPECT_EQ(why_not("rtu+tcp://meter"), "rtu+tcp has no usual port; expected rtu+tcp://HOST:PORT");
}

TEST(LineUrl, TakesThePortOrTheUsualOne) {
  EXPECT_EQ(parse_line_url("tcp://meter").value().tcp_port, 502);
  EXPECT_EQ(parse_line_url("udp://meter:65535").value().tcp_port, 65535);
}

TEST(LineUrl, TakesASerialPortWithItsSettings) {
  const auto line = parse_line_url("rtu:///dev/ttyS0?baud=19200&parity=E&stop=2").value();
  EXPECT_EQ(line.port, "/dev/ttyS0");
  EXPECT_EQ(line.baud_rate, 19200u);
  EXPECT_EQ(line.parity, link::Parity::even);
  EXPECT_EQ(line.stop_bits, 2);
}

}  // namespace
}  // namespace lightship::poller
