// Registers as one number and back, in their byte order; and the floats C++ has no type for.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codec/modbus/data_type.h"

namespace lightship::modbus {

constexpr std::uint16_t swap_bytes(std::uint16_t word) {
  return static_cast<std::uint16_t>(word << 8 | word >> 8);
}
constexpr bool swaps_bytes(ByteOrder order) {
  return order == ByteOrder::little || order == ByteOrder::big_swap;
}
constexpr bool swaps_words(ByteOrder order) {
  return order == ByteOrder::little || order == ByteOrder::little_swap;
}

// Up to four registers.
constexpr std::uint64_t gather(std::span<const std::uint16_t> words, ByteOrder order) {
  std::uint64_t value = 0;
  for (std::size_t at = 0; at < words.size(); ++at) {
    const auto word = words[swaps_words(order) ? words.size() - 1 - at : at];
    value = value << 16 | (swaps_bytes(order) ? swap_bytes(word) : word);
  }
  return value;
}

inline std::vector<std::uint16_t> scatter(std::uint64_t value, std::size_t count, ByteOrder order) {
  std::vector<std::uint16_t> words(count);
  for (std::size_t at = 0; at < count; ++at) {
    const auto word = static_cast<std::uint16_t>(value >> 16 * (count - 1 - at));
    words[swaps_words(order) ? count - 1 - at : at] = swaps_bytes(order) ? swap_bytes(word) : word;
  }
  return words;
}

// IEEE 754 binary16.
float from_half(std::uint16_t half);
std::uint16_t to_half(float value);  // nearest even; too large becomes infinity

}  // namespace lightship::modbus
