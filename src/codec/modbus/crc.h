// CRC-16 of Modbus RTU: polynomial A001 reflected, start FFFF, low byte first on the wire.
//
// Over a frame that includes its own CRC it is 0. Modbus over Serial Line V1.02, 2.5.1.2.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace lightship::modbus {

// Two bytes a step: table 1 is table 0 pushed through one more zero byte.
inline constexpr auto kCrcTables = [] {
  std::array<std::array<std::uint16_t, 256>, 2> tables{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    std::uint16_t crc = static_cast<std::uint16_t>(byte);
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<std::uint16_t>((crc & 1) != 0 ? crc >> 1 ^ 0xA001 : crc >> 1);
    tables[0][byte] = crc;
  }
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::uint16_t crc = tables[0][byte];
    tables[1][byte] = static_cast<std::uint16_t>(crc >> 8 ^ tables[0][crc & 0xFF]);
  }
  return tables;
}();

constexpr std::uint16_t crc16(Bytes bytes) {
  std::uint16_t crc = 0xFFFF;
  std::size_t at = 0;
  for (; at + 2 <= bytes.size(); at += 2) {
    crc = static_cast<std::uint16_t>(kCrcTables[1][(crc ^ bytes[at]) & 0xFF] ^
                                     kCrcTables[0][(crc >> 8 ^ bytes[at + 1]) & 0xFF]);
  }
  if (at < bytes.size())
    crc = static_cast<std::uint16_t>(crc >> 8 ^ kCrcTables[0][(crc ^ bytes[at]) & 0xFF]);
  return crc;
}

inline void put_crc(ByteVector& out, std::uint16_t crc) {
  out.push_back(static_cast<std::uint8_t>(crc));
  out.push_back(static_cast<std::uint8_t>(crc >> 8));
}

}  // namespace lightship::modbus
