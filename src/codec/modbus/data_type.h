// What registers can hold and in which order their bytes come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace lightship::modbus {

enum class DataType : std::uint8_t {
  boolean,  // "bool": a coil, or a register that is not 0
  bit,      // one bit of a register
  bits,     // some bits of one or two registers
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  float16,
  float32,
  float64,
  uint8h,  // the high or the low byte of a register
  uint8l,
  int8h,
  int8l,
  signmag16,  // bit 15 is the sign
  bcd16,
  bcd32,
  mod10k,  // registers of 0..9999, the lowest first (Schneider ION)
  pf4q,    // four-quadrant power factor (Schneider PM5xxx)
  acc32,   // SunSpec accumulator
  enum16,
  bitfield32,
  sunssf,  // SunSpec scale factor: a power of ten
  string,
};

std::string_view name(DataType type);
std::optional<DataType> parse_data_type(std::string_view name);
const std::vector<std::string>& data_type_names();  // in the order above, for suggestions

// The count of registers when none is given; 0 for string and mod10k, whose count must be.
std::uint16_t registers_of(DataType type);
bool allows_count(DataType type, std::uint16_t count);
std::string allowed_counts(DataType type);  // "1", "1 or 2", "2 to 4", "1 to 125"

bool is_integer(DataType type);  // may have a scale and names (enum)
bool is_float(DataType type);    // float16, float32, float64, pf4q

// The byte A is the most significant one of the value; the letters list the bytes as they arrive.
enum class ByteOrder : std::uint8_t {
  big,          // AB  ABCD  ABCDEFGH
  little,       // BA  DCBA  HGFEDCBA
  big_swap,     // BA  BADC  BADCFEHG
  little_swap,  // AB  CDAB  GHEFCDAB
};

// A name of the configuration or letters, in either case.
Result<ByteOrder> parse_byte_order(std::string_view text);
std::string_view name(ByteOrder order);                         // "little_swap"
std::string letters(ByteOrder order, std::uint16_t registers);  // "CDAB" for two registers
const std::vector<std::string>& byte_order_names();

}  // namespace lightship::modbus
