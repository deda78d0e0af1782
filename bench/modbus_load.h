// A Modbus TCP client that loads a server: many connections, a fixed number of requests in flight
// on each, every answer checked.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace lightship::bench {

struct Load {
  unsigned connections = 100;
  unsigned in_flight = 1;
  std::chrono::milliseconds warm_up{200};
  std::chrono::milliseconds measured{500};
};

struct Measured {
  double per_second = 0;
  std::uint64_t answers = 0;  // with those of the warm-up
  std::uint64_t errors = 0;   // wrong answers, closed connections, silence
  std::string trouble;        // the first of them, in words
};

// Reads registers 0-9 of unit 1, which hold 0x1000 + 0x0101 x address.
Measured load_server(std::uint16_t port, const Load& load);

}  // namespace lightship::bench
