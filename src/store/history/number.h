// Numbers as integers whose differences are small, and integers as few bytes.
//
// Neighbouring values of a meter differ little; so do the integers they become here (the scaled
// integer, or the bits of the float put in order), and a small difference takes one to three bytes.
#pragma once

#include <bit>
#include <optional>

#include "base/bytes.h"
#include "store/history/types.h"

namespace lightship::history {

// LEB128: seven bits a byte, the lowest first.
inline void put_varint(ByteVector& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<std::uint8_t>(value));
}
inline std::uint64_t get_varint(Reader& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = in.u8();
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return value;
}

// Small of either sign becomes small.
constexpr std::uint64_t zigzag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1 ^ (0 - (value & 1)));
}
// Differences wrap, so that every pair of integers has one.
constexpr std::int64_t minus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
constexpr std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

inline void put_signed(ByteVector& out, std::int64_t value) { put_varint(out, zigzag(value)); }
inline std::int64_t get_signed(Reader& in) { return unzigzag(get_varint(in)); }

// True for a format that is a number: one that has an integer.
constexpr bool is_number(Format format) {
  const auto byte = static_cast<unsigned>(format);
  return byte <= 4 || (byte >= 16 && byte <= 25) || (byte >= 32 && byte <= 49);
}

// How this value is best kept. A text is Format::text, nothing is Format::absent.
Format format_of(const Value& value);
// The integer of a value that has this format.
std::int64_t integer_of(Format format, const Value& value);
Value value_of(Format format, std::int64_t integer);

// The same for the numbers of a roll-up, which are doubles. Format::truth has its own there: a
// share of the time needs decimals.
std::int64_t integer_of(Format format, double number);
double number_of(Format format, std::int64_t integer);
// The format in which the number comes out as it went in, or the widest.
Format fitting(Format format, double number);
// Of the average: finer than its values.
Format average_format(Format format);
// For showing a number of a roll-up.
Value shown(Format format, double number);

}  // namespace lightship::history
