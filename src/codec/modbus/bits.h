// Coils and discrete inputs as they travel: packed from bit 0 of the first byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "base/bytes.h"

namespace lightship::modbus {

constexpr std::size_t packed_size(std::size_t bits) { return (bits + 7) / 8; }

struct Bits {
  std::uint16_t count = 0;
  ByteVector packed;  // packed_size(count) bytes

  Bits() = default;
  Bits(std::uint16_t size, ByteVector bytes) : count(size), packed(std::move(bytes)) {}
  explicit Bits(std::uint16_t size) : count(size), packed(packed_size(size)) {}
  Bits(std::initializer_list<bool> bits) : Bits(static_cast<std::uint16_t>(bits.size())) {
    std::size_t at = 0;
    for (const bool on : bits) set(at++, on);
  }

  bool operator[](std::size_t at) const { return (packed[at / 8] >> (at % 8) & 1) != 0; }
  void set(std::size_t at, bool on) {
    const auto mask = static_cast<std::uint8_t>(1u << (at % 8));
    if (on) {
      packed[at / 8] |= mask;
    } else {
      packed[at / 8] &= static_cast<std::uint8_t>(~mask);
    }
  }

  friend bool operator==(const Bits&, const Bits&) = default;
};

}  // namespace lightship::modbus
