// LRC of Modbus ASCII: two's complement of the 8-bit sum of the bytes (not of the characters).
//
// Over bytes that include their own LRC it is 0. Modbus over Serial Line V1.02, 2.5.2.2.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace lightship::modbus {

constexpr std::uint8_t lrc(Bytes bytes) {
  unsigned sum = 0;
  for (const auto byte : bytes) sum += byte;
  return static_cast<std::uint8_t>(0u - sum);
}

}  // namespace lightship::modbus
