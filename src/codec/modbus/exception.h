// The exceptions a Modbus server answers with, in words, and what they ask of a poller.
//
// An exception is proof that the device is alive and the line works. Application Protocol V1.1b3,
// section 7; undocumented codes (0x20..0xFF) occur and are errors like the others, 0 is none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace lightship::modbus {

enum class Exception : std::uint8_t {
  illegal_function = 1,
  illegal_address = 2,
  illegal_value = 3,
  device_failure = 4,
  acknowledge = 5,
  busy = 6,
  negative_acknowledge = 7,
  memory_parity = 8,
  path_unavailable = 10,
  target_silent = 11,
};

constexpr std::uint8_t code(Exception exception) { return static_cast<std::uint8_t>(exception); }

// "address range not served"; "undocumented code" for a code of no standard.
std::string_view meaning(int exception_code);

// What to do about it: "smaller blocks may work", for people who look at a device that refuses.
std::string_view advice(int exception_code);

// "exception 2 (address range not served)".
std::string exception_text(int exception_code);

// The same as an Error: Errc::refused with the code in `detail`.
Error exception_error(int exception_code);

}  // namespace lightship::modbus
