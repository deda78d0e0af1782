// The table of docs/modbus.md, to the microsecond.
#include "link/serial_timing.h"

#include <gtest/gtest.h>

namespace lightship::link {
namespace {

using namespace std::chrono_literals;

constexpr SerialSettings line(unsigned baud, Parity parity = Parity::even, double stop_bits = 1) {
  return {.device = "", .baud = baud, .data_bits = 8, .parity = parity, .stop_bits = stop_bits};
}

double ms(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

TEST(SerialTiming, CountsTheBitsOfACharacter) {
  EXPECT_EQ(bits_per_char(line(9600, Parity::none, 1)), 10);
  EXPECT_EQ(bits_per_char(line(9600, Parity::none, 2)), 11);
  EXPECT_EQ(bits_per_char(line(9600, Parity::even, 1)), 11);
  EXPECT_EQ(bits_per_char(line(9600, Parity::odd, 2)), 12);
  EXPECT_EQ(bits_per_char({.device = "", .baud = 9600, .data_bits = 7, .parity = Parity::even}),
            10);
}

TEST(SerialTiming, HasTheTableOfTheSpecification) {
  struct Row {
    unsigned baud;
    double character11, t15, t35, character10;
  };
  constexpr Row kTable[] = {
      {1200, 9.167, 13.75, 32.08, 8.333},  {2400, 4.583, 6.875, 16.04, 4.167},
      {4800, 2.292, 3.437, 8.021, 2.083},  {9600, 1.146, 1.719, 4.010, 1.042},
      {19200, 0.573, 0.859, 2.005, 0.521}, {38400, 0.286, 0.750, 1.750, 0.260},
      {57600, 0.191, 0.750, 1.750, 0.174}, {115200, 0.095, 0.750, 1.750, 0.087},
  };
  for (const auto& row : kTable) {
    SCOPED_TRACE(row.baud);
    EXPECT_NEAR(ms(char_time(line(row.baud))), row.character11, 0.0006);
    EXPECT_NEAR(ms(t15(line(row.baud))), row.t15, 0.0006);
    EXPECT_NEAR(ms(t35(line(row.baud))), row.t35, 0.006);
    EXPECT_NEAR(ms(char_time(line(row.baud, Parity::none))), row.character10, 0.0006);
  }
}

TEST(SerialTiming, UsesTheRealBitsOfTheLineForTheSilences) {
  EXPECT_EQ(t35(line(9600, Parity::none)), 3'645'833ns);
  EXPECT_EQ(t35(line(19'200, Parity::none)), 1'822'916ns);
  EXPECT_EQ(t35(line(19'201, Parity::none)), 1'750us);
  EXPECT_EQ(t15(line(19'201, Parity::none)), 750us);
}

TEST(SerialTiming, KnowsHowLongAFrameIsOnTheWire) {
  EXPECT_NEAR(ms(wire_time(line(9600, Parity::none), 17)), 17.7,
              0.05);  // docs/modbus.md: two registers
  EXPECT_EQ(wire_time(line(9600), 0), 0ns);
}

}  // namespace
}  // namespace lightship::link
