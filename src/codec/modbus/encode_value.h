// Values -> those bits of their registers that are theirs: what a write has to bring about.
//
// Most types own their registers; a bit, bits and the half registers share theirs with others, so a
// write must leave the rest as it is: function 22, or reading before writing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "codec/modbus/decode_value.h"

namespace lightship::modbus {

struct Laid {
  std::vector<std::uint16_t> values;  // 0 outside the mask
  std::vector<std::uint16_t> mask;    // FFFF: the whole register

  bool is_whole() const;
  // What the registers hold when the write is done.
  std::vector<std::uint16_t> over(std::span<const std::uint16_t> before) const;
  // Whether the registers hold it.
  bool is_in(std::span<const std::uint16_t> registers) const;
};

Laid laid_whole(std::vector<std::uint16_t> values);

// The inverse of decode, for every type. The same errors as encode_value.
Result<Laid> lay_out(const PointSpec& spec, const Value& value,
                     std::optional<std::int16_t> power_of_ten = std::nullopt);

}  // namespace lightship::modbus
