// What must be known to open a serial port. Modbus over Serial Line V1.02, 2.5.1 and 3.
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"

namespace lightship::link {

enum class Parity : char { none = 'N', even = 'E', odd = 'O', mark = 'M', space = 'S' };

enum class Direction {
  off,        // the adapter switches by itself, or the line is RS-232
  automatic,  // the kernel switches RTS when the driver can; a note says when it cannot
  on,         // the kernel must switch RTS; a driver that cannot is an error
};

struct Rs485 {
  Direction direction = Direction::off;
  std::chrono::milliseconds rts_before{0};  // from RTS to the first bit
  std::chrono::milliseconds rts_after{0};   // from the last bit to RTS off
  bool rx_during_tx = false;  // keep the receiver on while sending: we then hear ourselves
};

struct SerialSettings {
  std::string device;  // /dev/serial/by-id/... survives a renumbering of the bus
  unsigned baud = 9600;
  int data_bits = 8;  // 5 to 8
  Parity parity = Parity::none;
  double stop_bits = 1;  // 1 or 2; 1.5 can be written but is refused
  Rs485 rs485{};
  bool low_latency = true;
  // The port is opened for reading alone: no byte can leave by it, whatever the program does.
  bool receive_only = false;
};

// What no port can do, whatever is plugged in. Touches nothing.
Result<void> check(const SerialSettings& settings);

// "9600 8N1", as people write it.
std::string describe(const SerialSettings& settings);

}  // namespace lightship::link
