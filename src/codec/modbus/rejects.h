// What was heard while waiting for an answer and was not the answer.
#pragma once

#include <cstdint>

namespace lightship::modbus {

struct Rejects {
  std::uint32_t unit = 0;      // good frames of another unit
  std::uint32_t function = 0;  // good frames of the asked unit with another function
  std::uint32_t crc = 0;  // frames of the asked unit and function whose CRC or LRC does not match
  std::uint32_t length = 0;  // good frames of the asked unit and function with another length
  std::uint32_t exception_code = 0;  // exceptions with the code 0
  std::uint32_t mismatch =
      0;  // good frames that echo another address, count or value than was written
  std::uint32_t malformed = 0;  // ASCII frames that are none: odd digits, other characters, no end
  std::uint32_t echo = 0;       // our own request, heard back
  std::uint32_t noise_bytes = 0;     // before the answer, part of no frame
  std::uint32_t trailing_bytes = 0;  // behind the answer, belonging to no one

  Rejects& operator+=(const Rejects& other) {
    unit += other.unit;
    function += other.function;
    crc += other.crc;
    length += other.length;
    exception_code += other.exception_code;
    mismatch += other.mismatch;
    malformed += other.malformed;
    echo += other.echo;
    noise_bytes += other.noise_bytes;
    trailing_bytes += other.trailing_bytes;
    return *this;
  }
  friend bool operator==(const Rejects&, const Rejects&) = default;
};

}  // namespace lightship::modbus
