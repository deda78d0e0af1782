// Registers -> what they mean, by the description of one point.
//
// Whole numbers keep all their digits; scaled ones are rounded to the decimals of scale and offset;
// floats stay what they are. What is no value (a mark of the device, a NaN, an invalid BCD) says
// why, so that it is never published as a measurement.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/value.h"
#include "codec/modbus/data_type.h"

namespace lightship::modbus {

enum class Chars : std::uint8_t {
  both,
  swapped,
  low,
  high
};  // which bytes of a register are characters

std::optional<Chars> parse_chars(std::string_view name);  // "swapped", "low", "high"

struct PointSpec {
  DataType type = DataType::uint16;
  ByteOrder order = ByteOrder::big;
  std::uint16_t count =
      1;  // registers, of bits, mod10k and string; the others know. A coil is a register of 0 or 1
  double scale = 1;
  double offset = 0;
  std::int8_t decimals = -1;  // decimals_of(scale, offset), said once; -1: found out at every value
  std::uint8_t bit = 0;       // DataType::bit
  std::uint8_t shift = 0;     // DataType::bits
  std::uint8_t width = 0;     // 0: all above the shift
  Chars chars = Chars::both;
  std::vector<ByteVector>
      not_available;  // marks, most significant byte first whatever the byte order
  std::map<std::uint64_t, std::string>
      names;                       // enum; a negative number is its 64-bit two's complement
  std::optional<double> min, max;  // of the scaled value
  friend bool operator==(const PointSpec&, const PointSpec&) = default;
};

// The registers the point takes: its count where the type leaves it open, else the type's own.
std::uint16_t registers_of(const PointSpec& spec);

// How many decimals a number has: "0.1" 1, "0.25" 2, "-40" 0, "1e-3" 3. Real::kShortest where it is
// not a decimal number or has more than 17.
std::int8_t decimals_of(std::string_view decimal);
std::int8_t decimals_of(double number);
std::int8_t decimals_of(double scale, double offset);  // the larger

enum class Why : std::uint8_t {
  none,           // it is a value
  not_available,  // a mark of the device, NaN or infinity (kept in the value), an invalid BCD
  out_of_range,   // outside min..max; the value is kept
  invalid,        // too few registers, or a power of ten that cannot be one
};
std::string_view to_string(Why why);

struct Decoded {
  Value value;
  Why why = Why::none;
};

// `power_of_ten` is what the point's scale_register says.
Decoded decode(const PointSpec& spec, std::span<const std::uint16_t> registers,
               std::optional<std::int16_t> power_of_ten = std::nullopt);

// The registers that decode to this value, rounded to what they can hold. Errc::invalid when it
// does not fit, lies outside min..max or is of the wrong kind; a bit or bits, which share their
// register with others, cannot be written alone: see encode_value.h.
Result<std::vector<std::uint16_t>> encode_value(
    const PointSpec& spec, const Value& value,
    std::optional<std::int16_t> power_of_ten = std::nullopt);

}  // namespace lightship::modbus
