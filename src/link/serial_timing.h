// How long a character and the silences of Modbus RTU last on a given line.
//
// Modbus over Serial Line V1.02, 2.5.1.1: t1.5 and t3.5 are 1.5 and 3.5 characters up to 19200 baud
// and the fixed 750 us and 1.750 ms above. A character is what the line really sends (8N1: 10
// bits).
#pragma once

#include <chrono>
#include <cstdint>

#include "link/serial_settings.h"

namespace lightship::link {

constexpr unsigned kFixedSilenceAbove = 19'200;
constexpr std::chrono::nanoseconds kFixedT15{750'000};
constexpr std::chrono::nanoseconds kFixedT35{1'750'000};

// Start bit, data, parity, stop.
constexpr int bits_per_char(const SerialSettings& line) {
  return 1 + line.data_bits + (line.parity == Parity::none ? 0 : 1) + (line.stop_bits > 1 ? 2 : 1);
}

// `half_chars` halves of a character, so that 3.5 characters are exact to the nanosecond.
constexpr std::chrono::nanoseconds half_chars_time(const SerialSettings& line,
                                                   std::int64_t half_chars) {
  const auto halves = static_cast<std::int64_t>(bits_per_char(line)) * half_chars;
  return std::chrono::nanoseconds(halves * 500'000'000 / static_cast<std::int64_t>(line.baud));
}

constexpr std::chrono::nanoseconds char_time(const SerialSettings& line) {
  return half_chars_time(line, 2);
}

// The time that `count` characters take on the wire.
constexpr std::chrono::nanoseconds wire_time(const SerialSettings& line, std::size_t count) {
  return half_chars_time(line, 2 * static_cast<std::int64_t>(count));
}

constexpr std::chrono::nanoseconds t15(const SerialSettings& line) {
  return line.baud > kFixedSilenceAbove ? kFixedT15 : half_chars_time(line, 3);
}

constexpr std::chrono::nanoseconds t35(const SerialSettings& line) {
  return line.baud > kFixedSilenceAbove ? kFixedT35 : half_chars_time(line, 7);
}

}  // namespace lightship::link
